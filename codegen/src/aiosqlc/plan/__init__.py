"""Turn typed queries into Python modules as values: names, annotations, classes, imports."""

from aiosqlc.plan.module import plan_modules

__all__ = ["plan_modules"]
