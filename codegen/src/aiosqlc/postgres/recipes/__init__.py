"""Find, for the columns of each table, values that the table's constraints accept."""

from aiosqlc.postgres.recipes.search import recipes_of

__all__ = ["recipes_of"]
