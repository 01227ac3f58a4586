"""Find, for the columns of MySQL tables, values that satisfy every constraint."""

from aiosqlc.mysql.recipes.search import recipes_of

__all__ = ["recipes_of"]
