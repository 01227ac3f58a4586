"""Find values for the columns of each table that its constraints accept."""

from aiosqlc.postgres.recipes.search import recipes_of

__all__ = ["recipes_of"]
