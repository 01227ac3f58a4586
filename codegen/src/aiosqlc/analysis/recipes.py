"""Recipes for rows that satisfy a schema's constraints, in a form that every engine can use."""

from __future__ import annotations

from dataclasses import dataclass

Name = tuple[str, str]
"""The schema and the name of a table."""


@dataclass(frozen=True, slots=True)
class ColumnRecipe:
    """A column for which a recipe sets a value.

    `value` is the SQL expression that is used if the caller passes no value, or '' for NULL. In the
    expression, `{n}` stands for a number that differs between rows.
    """

    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: its `columns` refer to the columns `foreign` of `table`."""

    columns: tuple[str, ...]
    table: Name
    foreign: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableRecipe:
    """The columns of a row, and the foreign keys whose referenced rows must be inserted before it.

    `columns` are the columns that an INSERT sets; generated columns are left out. `shown` are all
    columns of the table, in order.
    """

    table: Name
    columns: tuple[ColumnRecipe, ...]
    references: tuple[Reference, ...] = ()
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipes:
    """The recipes of a schema; a table comes after the tables that it refers to.

    `refused` are the tables for which no row was found that the database accepts, each with the
    reason.
    """

    tables: tuple[TableRecipe, ...]
    refused: tuple[tuple[Name, str], ...] = ()

    def names(self) -> frozenset[Name]:
        """Return the names of all tables, including the refused tables."""
        found = [recipe.table for recipe in self.tables] + [name for name, _ in self.refused]
        return frozenset(found)

    def only(self, wanted: frozenset[Name]) -> Recipes:
        """Return the recipes of some tables, and of the tables that their rows need."""
        needed = set(wanted)
        for recipe in reversed(self.tables):
            if recipe.table in needed:
                needed.update(reference.table for reference in recipe.references)
        tables = tuple(recipe for recipe in self.tables if recipe.table in needed)
        return Recipes(tables, tuple(item for item in self.refused if item[0] in wanted))
