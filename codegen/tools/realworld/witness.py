"""Search for rows with NULL in a column that sqlc infers as NOT NULL.

If an outer join finds no row, a group is empty or a nullable column is cast, sqlc may say NOT NULL
without a proof. A call finds such a row if its arguments come from existing rows. So they are taken
from one row of each table, over several data sets with many NULLs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from aiosqlc.contract.values import Values
from aiosqlc.ir import TypedParam, TypedQuery
from aiosqlc.plan.naming import argument

Tables = Mapping[str, Sequence[Mapping[str, object]]]
"""Some rows of each table, by the table's name without schema."""

_FROM_A_ROW = 0.85  # how often an argument is a row's value, where the column it meets is known
_DAYS = timedelta(days=400)


def places(query: TypedQuery) -> list[int | None]:
    """Return the position of each of sqlc's columns in the rows of aiosqlc; None for an embed."""
    embeds = {embed.first: embed.count for embed in query.embeds}
    found: list[int | None] = []
    position = 0
    while position < len(query.columns):
        count = embeds.get(position)
        found.append(None if count else position)
        position += count or 1
    return found


def doubtful(query: TypedQuery, said: Sequence[bool]) -> set[int]:
    """Return the positions of the columns that only sqlc infers as NOT NULL."""
    shown = places(query)
    if len(shown) != len(said):
        return set()
    return {
        place
        for place, not_null in zip(shown, said, strict=True)
        if not_null and place is not None and not query.columns[place].not_null
    }


@dataclass
class Near:
    """Chooses arguments that match existing rows."""

    values: Values
    tables: Tables
    random: Random

    def arguments(
        self, query: TypedQuery, function: Callable[..., object], naive: frozenset[str]
    ) -> dict[str, object]:
        """Choose a value for every parameter.

        If the query compares a parameter with a column, the value is from a row of the table.
        """
        chosen = self.values.arguments(function, naive)
        hints = get_type_hints(function)
        rows = {name: self.random.choice(rows) for name, rows in self.tables.items() if rows}
        for param in query.params:
            name = argument(param.name)
            if name not in chosen:
                continue
            value = self._met(param, rows)
            if isinstance(value, datetime) and self.random.random() < 0.6:
                value = _shifted(value, self.random.choice([-_DAYS, _DAYS]))
            if value is not None and self.random.random() < _FROM_A_ROW:
                chosen[name] = _fitting(value, hints[name], chosen[name])
        return chosen

    def _met(self, param: TypedParam, rows: Mapping[str, Mapping[str, object]]) -> object:
        """Return a value of the compared column, or of a column with the parameter's name."""
        if param.origin is not None:
            return rows.get(param.origin.table, {}).get(param.origin.column)
        if param.type.name in {"int4", "int8", "bigint"}:
            return self.random.choice([0, 1, 50])  # a page, or how many
        alike = [row[param.name] for row in rows.values() if row.get(param.name) is not None]
        return self.random.choice(alike) if alike else None


def _shifted(value: datetime, by: timedelta) -> datetime:
    try:
        return value + by
    except OverflowError:  # infinity
        return value


def _fitting(value: object, hint: Any, instead: object) -> object:
    """Return a value from the driver as an argument, or `instead` if it does not fit the hint."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if get_origin(hint) not in {None, Union, UnionType}:  # a list of ids
        fitting = _fitting(value, kinds[0], None)
        return instead if fitting is None else [fitting]
    if kinds:
        return _fitting(value, kinds[0], instead)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if not isinstance(hint, type) or not isinstance(value, hint):
        return instead
    return value
