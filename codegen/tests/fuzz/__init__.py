"""A black-box hunt for false claims: random schemas and queries, real rows."""
