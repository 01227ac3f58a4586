"""Recipes for rows that satisfy a schema's constraints, in a form that every engine can use."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

Name = tuple[str, str]
"""The schema and the name of a table."""


class Demand(Struct, frozen=True):
    """The rows that a recipe must make: rows with some numbers, and then all rows up to `last`."""

    numbers: tuple[int, int, int]
    last: int


# The large number is refused where only small numbers fit. Then a recipe that makes the first rows
# is good enough. A unique column whose values repeat after ten rows refuses row 11.
DEMANDS = tuple(
    Demand(numbers, last)
    for last in (1_000, 300, 100, 30, 10, 3)
    for numbers in ((1, 2, 40_000), (1, 2, 3))
)
"""The demands on the recipe of a table, the strictest first."""
_MOST_BOUNDS = 6


def cycles(bounds: Sequence[Decimal], places: int, fraction: str) -> Iterator[str]:
    """Yield SQL expressions that run through the numbers between two bounds, widest range first.

    `places` are the decimal places of the numbers. `fraction` is SQL for `{n}` divided by a first
    number, modulo a second number, divided by a third one.
    """
    step = 10**places
    pairs = itertools.combinations(sorted(dict.fromkeys(bounds))[:_MOST_BOUNDS], 2)
    for low, high in sorted(pairs, key=lambda pair: pair[0] - pair[1]):
        whole = int(high - low)
        if places and whole:
            yield f"{_around(low, whole)} + {fraction % (whole, step, step)}"
        elif places:
            size = int((high - low) * step)
            yield f"{low} + {fraction % (1, size + 1, step)}" if size else str(low)
        else:  # a condition may exclude a bound
            for first, last in itertools.product((low, low + 1), (high, high - 1)):
                if first < last:
                    yield _around(first, int(last - first) + 1)


def _around(first: Decimal, size: int) -> str:
    """Return SQL for one of `size` numbers from `first`; it starts at 1 if 1 is one of them."""
    if first <= 0 < 1 < first + size:
        return f"({{n}} + {-first}) % {size} - {-first}" if first else f"{{n}} % {size}"
    return f"{first} + {{n}} % {size}"


def hopeless(demand: Demand, failed: Sequence[tuple[Demand, int]]) -> bool:
    """Return whether a demand cannot be met, like a demand for the same first rows that failed.

    With each failed demand comes the most rows that the server accepted in one attempt.
    """
    return any(
        demand.numbers[: most + 1] == before.numbers[: most + 1] and most < 3
        for before, most in failed
    )


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
