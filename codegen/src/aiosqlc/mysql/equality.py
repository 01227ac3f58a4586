"""Find comparisons in which `=` and the column's unique key treat the same values as equal."""

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

    A text column and a number are compared as numbers, and many texts stand for the same number.
    Under another collation than the key's, `=` can treat more texts as equal than the key does. In
    an enum, the number 0 (an invalid value) has the same text as an empty label. In a set, the
    number 0 (no members) has this text too.
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
