"""Plan Python modules for typed queries, as values: names, annotations, classes and imports."""

from aiosqlc.plan.module import plan_modules

__all__ = ["plan_modules"]
