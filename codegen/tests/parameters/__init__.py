"""Compare PostgreSQL's parameters with the server: a function accepts what the server accepts."""
