"""Plan the Python modules for typed queries: their names, annotations, classes and imports."""

from aiosqlc.plan.module import plan_modules

__all__ = ["plan_modules"]
