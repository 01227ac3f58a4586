"""PostgreSQL: types, nullability and row counts from the server's own analysis of each query."""

from aiosqlc.postgres.analyze import Analyzer, analyze

__all__ = ["Analyzer", "analyze"]
