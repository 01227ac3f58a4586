"""Observe schema changes on MySQL and MariaDB: which queries they block, and what they copy."""

from aiosqlc.mysql.watch.release import ReleaseObserver

__all__ = ["ReleaseObserver"]
