"""Watches statements from a second connection: the locks they hold and the work under them."""

from aiosqlc.postgres.watch.release import ReleaseObserver

__all__ = ["ReleaseObserver"]
