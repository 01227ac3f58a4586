"""A black-box search for false claims: random schemas and queries, real rows."""
