"""The claims about a query that its rows disprove."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiosqlc.ir import Cardinality, TypedQuery
from aiosqlc.mysql import types

from tests.fuzz.optional import absent

_MADE = {
    "integer": int, "text": str, "decimal": Decimal, "float": float, "bytes": bytes, "date": date,
    "datetime": datetime, "time": timedelta,
}  # fmt: skip


def mistyped(sql: str, typed: TypedQuery, rows: list[tuple[Any, ...]]) -> list[str]:
    """Return the columns whose values in the driver differ from the types in the row class."""
    false = []
    for i, column in enumerate(typed.columns):
        made = _MADE.get(types.value_of(column.type))
        for value in {type(row[i]): row[i] for row in rows if row[i] is not None}.values():
            undated = isinstance(value, str) and not _is_date(value)
            if made and type(value) is not made and not (made in {date, datetime} and undated):
                false.append(f"server: column {i} is {column.type.name}, not {value!r} in {sql}")
        if column.type == types.BOOL and any(row[i] not in {0, 1, None} for row in rows):
            false.append(f"server: column {i} is no bool in {sql}")
    return false


def _is_date(text: str) -> bool:
    """Return whether a text is a date; as in the manual, an invalid date is an error."""
    with contextlib.suppress(ValueError):
        datetime.fromisoformat(text)
        return True
    return False


def nulls_in(typed: TypedQuery, rows: list[tuple[Any, ...]]) -> set[int]:
    """Return the columns that have NULL in a row, except those of missing embedded rows."""
    return {
        i
        for row in rows
        for i in {i for i, value in enumerate(row) if value is None} - absent(typed, row)
    }


def lost(sql: str, typed: TypedQuery, rows: list[tuple[Any, ...]]) -> list[str]:
    """Return the embedded rows that have values but would be None."""
    gone = any(row[i] is not None for row in rows for i in absent(typed, row))
    return [f"server: a row of {typed.embeds} is lost in {sql}"] if gone else []


def refuted(
    judge: str, sql: str, typed: TypedQuery, rows: list[tuple[Any, ...]], nulls: set[int]
) -> list[str]:
    """Return the disproved claims: columns that are never NULL, and row counts."""
    false = [
        f"{judge}: column {i} ({typed.columns[i].reasons}) is NULL in {sql}"
        for i in sorted(nulls)
        if i < len(typed.columns) and typed.columns[i].not_null
    ]
    least = typed.cardinality in {Cardinality.ONE, Cardinality.SOME}
    if (typed.cardinality.at_most_one and len(rows) > 1) or (least and not rows):
        false.append(
            f"{judge}: {typed.cardinality} {typed.cardinality_reasons}, {len(rows)} rows in {sql}"
        )
    return false
