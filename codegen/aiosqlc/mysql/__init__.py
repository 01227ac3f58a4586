"""MySQL and MariaDB: types and nullability from the server's own PREPARE, the rest from the text."""

from aiosqlc.mysql.analyze import analyze

__all__ = ["analyze"]
