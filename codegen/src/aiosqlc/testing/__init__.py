"""Give each test a database in the state of a new database, with a pytest plugin."""

from aiosqlc.testing.databases import Databases, TemplateError

__all__ = ["Databases", "TemplateError"]
