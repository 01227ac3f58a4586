"""A black-box hunt for false claims: random schemas and queries, the compiler's claims, real rows."""
