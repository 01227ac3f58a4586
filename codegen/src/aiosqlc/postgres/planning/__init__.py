"""Plan queries with the statistics of another server, in a database without rows."""

from aiosqlc.postgres.planning.database import Planner

__all__ = ["Planner"]
