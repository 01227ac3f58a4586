"""Find implicit conversions, which return NULL if a value cannot be converted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.choices import is_choice
from aiosqlc.mysql.expressions import type_of
from aiosqlc.mysql.functions import AGGREGATES, SCALAR, name_of
from aiosqlc.mysql.scope import Level, unwrap

if TYPE_CHECKING:
    from aiosqlc.mysql.reader import Reader

_COMPARED = (exp.Greatest, exp.Least)
_ROUNDED = (exp.Ceil, exp.Floor, exp.Round, exp.Trunc)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between)
# Functions that the server flags NOT NULL although they can be NULL.
_MISJUDGED = frozenset({"BENCHMARK", "COLUMN_CHECK", "COLUMN_EXISTS", "JSON_DEPTH"})


def may_fail(node: exp.Expr) -> bool:
    """Return whether an expression can be NULL although the server describes it as NOT NULL.

    This happens if a regular expression exceeds the server's limits, and for `x = ALL (…)` if the
    list contains NULL.
    """
    return isinstance(node, exp.RegexpLike | exp.Any | exp.All) or name_of(node) in _MISJUDGED


def parses(kinds: Sequence[SqlType | None], *, compared: bool = False) -> bool:
    """Return whether a text may be invalid for the type to which the server converts all values.

    `kinds` are the types of the values.

    With `compared`, texts that are compared with dates are included, as in GREATEST and LEAST.
    """
    names = {kind.name if kind else "" for kind in kinds}
    fussy = types.PARSED | (types.MOMENTS if compared else set())
    return bool(names & fussy) and len(names) > 1


def parses_in(node: exp.Expr, level: Level, reader: Reader) -> bool:
    """Return whether the server may convert a result or an operand of an expression to NULL."""
    if isinstance(node, _COMPARISONS):
        values = _sides(node)
    elif is_choice(node):
        values = _values(node)
    elif isinstance(node, _ROUNDED):
        values = [node.this]
    else:
        return False
    kinds = [kind for value in values for kind in _kinds(value, level, reader) if kind != _NULL]
    if not isinstance(node, _COMPARISONS) and _is_dated(node, kinds):
        return True
    return parses(kinds, compared=isinstance(node, _COMPARED))


def _is_dated(node: exp.Expr, kinds: Sequence[SqlType | None]) -> bool:
    """Return whether a date or time is computed from a stored value, which may be a zero date.

    Under NO_ZERO_DATE, the server converts a zero date in a calculation to NULL. A timestamp alone
    cannot be NULL.
    """
    names = {kind.name if kind else "" for kind in kinds}
    if isinstance(node, _ROUNDED):
        made = bool(names & {"datetime", "timestamp"})
    else:
        made = names <= types.MOMENTS and bool(names & {"date", "datetime"})
    return made and node.find(exp.Column, exp.Query) is not None


def _sides(node: exp.Expr) -> list[exp.Expr]:
    """Return the compared values, with the items of rows and lists as separate values."""
    sides = [node.this, *node.expressions]
    sides += [
        node.args[name] for name in ("expression", "query", "low", "high") if node.args.get(name)
    ]
    flat = [
        unwrap(side.this) if isinstance(side, exp.Any | exp.All) else unwrap(side) for side in sides
    ]
    rows = [side.expressions if isinstance(side, exp.Tuple) else [side] for side in flat]
    return [value for row in rows for value in row]


def _kinds(node: exp.Expr, level: Level, reader: Reader) -> list[SqlType | None]:
    outputs = reader.sub_select(node, level).outputs if isinstance(node, exp.Query) else None
    kinds = [output.type for output in outputs or ()]
    return kinds if kinds and None not in kinds else [_kind(node, level, reader)]


_NULL = SqlType("", "null")


def _kind(node: exp.Expr, level: Level, reader: Reader) -> SqlType | None:
    if isinstance(node, exp.Null):
        return _NULL
    # Python passes an address as any text, but a UUID is always valid.
    if isinstance(node, exp.Placeholder):
        kind = reader.parameter_type(node)
        return kind if kind == types.UUID else type_of(node, level, reader)
    kind = type_of(node, level, reader)
    if kind is not None:
        return kind
    if any(_is_unknown(inner, level, reader) for inner in node.walk()):
        return types.UUID  # nothing excludes a UUID
    found = [level.resolve(column) for column in node.find_all(exp.Column)]
    inside = [output.type for _, _, output in filter(None, found) if output.type]
    return next((kind for kind in inside if kind.name in types.PARSED | types.MOMENTS), None)


def _is_unknown(node: exp.Expr, level: Level, reader: Reader) -> bool:
    """Return whether an expression is a table column or a function whose type is unknown.

    The expression may also be a sub-select, or a column of a derived table, whose value is such a
    column or function.
    """
    if isinstance(node, exp.Subquery) and node.find_ancestor(exp.Query) is level.node:
        made = reader.sub_select(node, level).outputs or ()
        return not made or any(output.type is None and output.unsure for output in made)
    if isinstance(node, exp.Column):
        found = level.resolve(node)
        if found is not None:
            return found[2].type is None and found[2].unsure
        return node.find_ancestor(exp.Query) is level.node
    return isinstance(node, exp.Anonymous) and name_of(node) not in SCALAR | AGGREGATES


def _values(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        return [value for value in [*branches, node.args.get("default")] if value is not None]
    if isinstance(node, exp.If | exp.Nvl2):
        values = [node.args.get("true"), node.args.get("false")]
        return [value for value in values if value is not None]
    if isinstance(node, exp.Nullif):
        return [node.this]
    return [node.this, *node.expressions]
