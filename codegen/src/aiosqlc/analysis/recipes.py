"""Recipes for rows that satisfy a schema's constraints, in a form that every engine can use."""

from __future__ import annotations

from msgspec import Struct

Name = tuple[str, str]
"""The schema and the name of a table."""


class ColumnRecipe(Struct, frozen=True):
    """A column for which a recipe sets a value.

    `value` is the SQL expression that is used if the caller passes no value, or '' for NULL. In the
    expression, `{n}` stands for a number that differs between rows.
    """

    name: str
    value: str = ""


class Reference(Struct, frozen=True):
    """A foreign key: its `columns` refer to the columns `foreign` of `table`."""

    columns: tuple[str, ...]
    table: Name
    foreign: tuple[str, ...]


class TableRecipe(Struct, frozen=True):
    """The columns of a row, and the foreign keys whose referenced rows must be inserted before it.

    `columns` are the columns that an INSERT sets; generated columns are left out. `shown` are all
    columns of the table, in order. If INSERT does not return the row, `key` are the columns by
    which the row is read, or nothing if the table has no such key. `counted` is the column that
    the server numbers, or ''.
    """

    table: Name
    columns: tuple[ColumnRecipe, ...]
    references: tuple[Reference, ...] = ()
    shown: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    counted: str = ""


class Syntax(Struct, frozen=True):
    """The syntax of the statements that insert and read the rows on one engine.

    `quote` is the quotation mark of names. In `number`, `{}` stands for a parameter that is a
    number. `empty` follows the table's name in an INSERT without columns. `returning` is whether
    INSERT can return the row, and `schemas` whether the name of a table has a schema.
    """

    quote: str
    number: str
    empty: str
    returning: bool
    schemas: bool


class Recipes(Struct, frozen=True):
    """The recipes of a schema; a table comes after the tables that it refers to.

    `refused` are the tables for which no row was found that the database accepts, each with the
    reason. `syntax` is the syntax of the recipes' expressions.
    """

    tables: tuple[TableRecipe, ...]
    refused: tuple[tuple[Name, str], ...]
    syntax: Syntax

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
        refused = tuple(item for item in self.refused if item[0] in wanted)
        return Recipes(tables, refused, self.syntax)
