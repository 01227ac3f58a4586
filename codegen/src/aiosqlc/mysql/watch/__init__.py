"""Observe schema changes on MySQL and MariaDB: what they keep waiting, and what they copy."""

from aiosqlc.mysql.watch.release import ReleaseObserver

__all__ = ["ReleaseObserver"]
