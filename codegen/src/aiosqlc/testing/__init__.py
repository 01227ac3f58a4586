"""Give each test a database that is equal to a new one. `aiosqlc.testing.plugin` is a fixture."""

from aiosqlc.testing.databases import Databases, TemplateError

__all__ = ["Databases", "TemplateError"]
