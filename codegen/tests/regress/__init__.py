"""PostgreSQL's own regression tests as a check of the claims."""
