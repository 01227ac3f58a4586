"""Find comparisons `column = value` that agree with the column's unique key on equal values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from aiosqlc.mysql import types
from aiosqlc.mysql.expressions import type_of
from aiosqlc.mysql.scope import Level, Output

if TYPE_CHECKING:
    from aiosqlc.mysql.reader import Reader


def compares_alike(column: Output, value: exp.Expr, level: Level, reader: Reader) -> bool:
    """Return whether `column = value` and the column's unique key treat the same values as equal.

    If a text column is compared with a number, the values are compared as numbers, and many texts
    stand for the same number. A comparison under another collation can treat more texts as equal.
    In an enum or a set, the empty label has the same text as the number 0, which is an invalid enum
    or an empty set.
    """
    if column.type is None or any(map(_may_be_empty, column.type.labels)):
        return False
    mine = types.family(column.type)
    if isinstance(value, exp.Placeholder):
        given = reader.parameter_type(value)
        return mine != "timestamp" and given is not None and types.family(given) == mine
    if isinstance(value, exp.Literal):
        if value.is_string:
            return mine in {"text", "bytes", "date", "datetime"}
        rounded = "e" in str(value.this).lower()  # several keys round to one such number
        return mine in {"integer", "decimal"} and not rounded
    if isinstance(value, exp.Boolean):
        return mine == "integer"
    kind = type_of(value, level, reader)
    if kind is None or types.family(kind) != mine or mine in {"timestamp", "float", "double"}:
        return False
    if mine == "text" and isinstance(value, exp.Query):
        made = reader.sub_select(value, level).outputs
        return bool(made) and (made or ())[0].collation == column.collation != ""
    if mine != "text" or not isinstance(value, exp.Column):
        return True
    found = level.resolve(value)
    return found is not None and found[2].collation == column.collation != ""


def _may_be_empty(label: str) -> bool:
    """Return whether a collation may treat an enum's label as empty, because it ignores symbols."""
    return not any(sign.isalnum() or "!" <= sign <= "~" for sign in label)
