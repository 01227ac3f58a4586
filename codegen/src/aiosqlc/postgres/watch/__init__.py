"""Observe statements from a second connection: the locks they hold and the work they cause."""

from aiosqlc.postgres.watch.release import ReleaseObserver

__all__ = ["ReleaseObserver"]
