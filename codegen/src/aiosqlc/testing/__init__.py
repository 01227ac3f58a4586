"""Give each test a database in the state of a new one. `aiosqlc.testing.plugin` is a fixture."""

from aiosqlc.testing.databases import Databases, TemplateError

__all__ = ["Databases", "TemplateError"]
