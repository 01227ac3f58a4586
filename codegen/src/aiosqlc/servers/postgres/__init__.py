"""A PostgreSQL server to ask: the embedded one, or the one the user names."""
