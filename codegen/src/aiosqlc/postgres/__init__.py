"""PostgreSQL: infer types, nullability and row counts from the server's analysis of queries."""

from aiosqlc.postgres.analyze import Analyzer, analyze

__all__ = ["Analyzer", "analyze"]
