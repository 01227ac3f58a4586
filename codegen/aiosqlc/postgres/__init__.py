"""PostgreSQL: types, nullability and row counts from the server's own analysis of each query."""

from aiosqlc.postgres.analyze import analyze

__all__ = ["analyze"]
