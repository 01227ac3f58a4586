"""Evaluate number literals in constant conditions, window frames and row counts."""

from __future__ import annotations

import operator
from collections.abc import Callable

from sqlglot import exp

from aiosqlc.mysql.scope import Level, is_chained, unwrap

_BITS = 63
_OPERATORS: dict[type[exp.Expr], Callable[[int, int], bool]] = {
    exp.EQ: operator.eq, exp.NEQ: operator.ne, exp.GT: operator.gt, exp.GTE: operator.ge,
    exp.LT: operator.lt, exp.LTE: operator.le,
}  # fmt: skip
_BEFORE, _AFTER, _CURRENT, _ALL = "PRECEDING", "FOLLOWING", "CURRENT ROW", "UNBOUNDED"


def integer(node: object) -> int | None:
    """Return the value of an integer literal that every server compares exactly, or None."""
    node = unwrap(node) if isinstance(node, exp.Expr) else None
    if not isinstance(node, exp.Literal) or node.is_string or not str(node.this).isdecimal():
        return None
    number = int(node.this)
    return number if number < 1 << _BITS else None


def is_true(condition: exp.Expr) -> bool:
    """Return whether a condition is always true: `TRUE`, `1` or `1 = 1`."""
    node = unwrap(condition)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    compare = _OPERATORS.get(type(node))
    if compare is None:
        return bool(integer(node))
    left, right = integer(node.this), integer(node.expression)
    return left is not None and right is not None and compare(left, right)


def has_current_row(frame: exp.Expr | None) -> bool:
    """Return whether a window's frame always contains the current row.

    The default frame (without a frame clause) contains it.
    """
    if frame is None:
        return True
    kind = str(frame.args.get("kind") or "").upper()
    if kind not in {"ROWS", "RANGE"} or frame.args.get("exclude"):
        return False
    bounds = [
        (frame.args.get("start"), frame.args.get("start_side"), _BEFORE),
        (frame.args.get("end") or _CURRENT, frame.args.get("end_side"), _AFTER),
    ]
    return all(_reaches(*bound, by_rows=kind == "ROWS") for bound in bounds)


def _reaches(bound: object, side: object, wanted: str, *, by_rows: bool) -> bool:
    """Return whether a frame's start or end is the current row, or on the `wanted` side of it."""
    if bound == _CURRENT:
        return True
    if str(side).upper() != wanted:
        return False
    return bound == _ALL or (by_rows and integer(bound) is not None)


def counts_a_row(having: exp.Expr | None, level: Level) -> bool:
    """Return whether HAVING can only be true if a row was read: `COUNT(*) > 0`."""
    if having is None:
        return False
    node = unwrap(having)
    if isinstance(node, exp.And):
        return counts_a_row(node.this, level) or counts_a_row(node.expression, level)
    if _is_count(node, level):
        return True
    compare = _OPERATORS.get(type(node))
    if compare is None or is_chained(node):
        return False
    left, right = unwrap(node.this), unwrap(node.expression)
    if _is_count(left, level) and (number := integer(right)) is not None:
        return not compare(0, number)
    if _is_count(right, level) and (number := integer(left)) is not None:
        return not compare(number, 0)
    return False


def _is_count(node: exp.Expr, level: Level) -> bool:
    """Return whether an expression counts rows of this SELECT."""
    return (
        isinstance(node, exp.Count)
        and node.find(exp.Query) is None
        and all(level.local(column) is not None for column in node.find_all(exp.Column))
    )
