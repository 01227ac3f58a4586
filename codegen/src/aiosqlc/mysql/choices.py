"""Infer the type of a value in CASE, COALESCE and so on from the other values and its context."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.functions import name_of
from aiosqlc.mysql.scope import unwrap

_NUMBERS = frozenset({"integer", "decimal", "float", "double"})
_SIZES = ("integer", "decimal", "float", "double")


_CHOICES = (exp.Coalesce, exp.If, exp.Nvl2, exp.Case, exp.Nullif, exp.Greatest, exp.Least)


def is_choice(node: exp.Expr) -> bool:
    """Return whether an expression such as CASE returns one of several values."""
    return isinstance(node, _CHOICES)


def values_of(node: exp.Expr) -> list[exp.Expr]:
    """Return the values from which CASE, COALESCE, NULLIF and so on choose their result."""
    if isinstance(node, exp.Case):
        found = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
    elif isinstance(node, exp.If | exp.Nvl2):
        found = [node.args.get("true"), node.args.get("false")]
    elif isinstance(node, exp.Nullif):
        found = [node.this, node.expression]
    else:
        found = [node.this, *node.expressions]
    return [value for value in found if isinstance(value, exp.Expr)]


def is_row(node: exp.Expr) -> bool:
    """Return whether an expression is a row of values: `(a, b)` or `ROW(a, b)`."""
    return isinstance(node, exp.Tuple) or (
        isinstance(node, exp.Anonymous) and name_of(node) == "ROW"
    )


def named_value(node: exp.Expr) -> exp.Expr:
    """Return the column in `VALUES(column)`, or any other expression unchanged."""
    if not isinstance(node, exp.Anonymous) or name_of(node) not in {"VALUES", "VALUE"}:
        return node
    named = node.expressions[0] if len(node.expressions) == 1 else None
    if isinstance(named, exp.Identifier):
        column = exp.Column(this=named.copy())
        column.parent = node.parent
        return column
    return named if isinstance(named, exp.Column) else node


def is_literal(node: exp.Expr) -> bool:
    """Return whether an expression consists only of literals and NULL."""
    if isinstance(node, exp.Query):
        return False
    return all(isinstance(inner, _CONSTANT) for inner in node.walk())


_CONSTANT = (
    exp.Literal, exp.Null, exp.Boolean, exp.Neg, exp.Paren, exp.Add, exp.Sub, exp.Mul, exp.Div,
    exp.HexString, exp.BitString, exp.Tuple,
)  # fmt: skip


def literal_type(node: exp.Expr) -> SqlType | None:
    """Return the type of a literal, or None for NULL."""
    inner = unwrap(node)
    while isinstance(inner, exp.Neg):
        inner = unwrap(inner.this)
    if isinstance(inner, exp.Boolean):
        return types.BOOL
    if isinstance(inner, exp.HexString | exp.BitString):
        return types.VARBINARY
    if not isinstance(inner, exp.Literal):
        return None if isinstance(inner, exp.Null) else types.DECIMAL
    if inner.is_string:
        return types.VARCHAR
    text = str(inner.this).lower()
    return types.DOUBLE if "e" in text else types.DECIMAL if "." in text else types.BIGINT


def best_of(
    known: SqlType | None, target: SqlType | None, literals: Sequence[SqlType | None]
) -> SqlType | None:
    """Infer the type of one value in CASE, COALESCE and so on from the other values and the target.

    `known` is the type of a value that is not a literal.

    `target` is the type of the column or expression that receives the result. If all values are
    literals, they only show whether the value is a text or a boolean.
    """
    said = [kind for kind in literals if kind is not None]
    if target is not None and known is not None and not _is_wider(target, known):
        target = None
    best = target or known
    if target is None and known is not None and known.labels:
        return types.VARCHAR  # beside a label, any text is possible
    if best is None:
        alike = {types.family(kind) for kind in said}
        if alike == {"text"} or set(said) == {types.BOOL}:
            return said[0]
        return None
    if best == types.ANY:
        return None
    family = types.family(best)
    if family in _NUMBERS:
        return _with_numbers(best, said)
    fits = {"text": {"text"}, "bytes": {"text", "bytes"}}.get(family, {"text"})
    return best if all(types.family(kind) in fits for kind in said) else known


def _with_numbers(best: SqlType, said: Sequence[SqlType]) -> SqlType | None:
    families = {types.family(kind) for kind in said}
    if not families <= _NUMBERS:
        return None
    wider = [kind for kind in said if _size(kind) > _size(best)]
    return max(wider, key=_size) if wider else best


def _size(kind: SqlType) -> int:
    return _SIZES.index(types.family(kind))


def _is_wider(target: SqlType, known: SqlType) -> bool:
    """Return whether each value of the type `known` is also a value of the type `target`."""
    families = types.family(target), types.family(known)
    if families[0] == families[1]:
        return target != types.BOOL or known == types.BOOL
    return set(families) <= _NUMBERS and _size(target) > _size(known)
