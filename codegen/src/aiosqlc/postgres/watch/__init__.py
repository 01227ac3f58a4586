"""Observe statements from a second connection: the locks that they hold, and the rows they read."""

from aiosqlc.postgres.watch.release import ReleaseObserver

__all__ = ["ReleaseObserver"]
