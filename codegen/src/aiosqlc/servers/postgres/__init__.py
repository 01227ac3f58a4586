"""The PostgreSQL server for the analysis: the embedded one, or the user's."""
