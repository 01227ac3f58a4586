"""Derive what a true condition proves about columns."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from aiosqlc.mysql import types
from aiosqlc.mysql.functions import STRICT, STRICT_IN, arguments, name_of
from aiosqlc.mysql.scope import ColumnKey, Join, Level, is_chained, unwrap

Columns = frozenset[ColumnKey]
_NONE: Columns = frozenset()
# NULL as soon as one operand is.
_STRICT_OPERATORS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.RegexpLike, exp.Xor, exp.Add,
    exp.Sub, exp.Mul,
    exp.Div, exp.IntDiv, exp.Mod, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor,
    exp.BitwiseLeftShift,
    exp.BitwiseRightShift,
)  # fmt: skip
_QUANTIFIED = (exp.Any, exp.All, exp.Tuple)
IsSlice = Callable[[exp.Expr], bool]


def true_columns(level: Level, condition: exp.Expr | None, is_slice: IsSlice) -> Columns:
    """Return the level's own columns that are not NULL if `condition` is true."""
    node = unwrap(condition) if condition is not None else None
    if isinstance(node, exp.And):
        return true_columns(level, node.this, is_slice) | true_columns(
            level, node.expression, is_slice
        )
    if isinstance(node, exp.Or):
        return true_columns(level, node.this, is_slice) & true_columns(
            level, node.expression, is_slice
        )
    if isinstance(node, exp.Not):
        return _not_true(level, unwrap(node.this), is_slice)
    if isinstance(node, exp.Is):
        untrue = level.premises.holds(
            "condition", "the test is false for NULL", _is_boolean(node.expression)
        )
        return strict_columns(level, node.this, is_slice) if untrue else _NONE
    if isinstance(node, exp.In | exp.Between) and not _stands_alone(level, node):
        return _NONE
    if isinstance(node, exp.In):
        return strict_columns(level, node.this, is_slice)  # it was found among the values
    if isinstance(node, exp.Between):
        sides = (node.this, node.args.get("low"), node.args.get("high"))
        return _NONE.union(*(strict_columns(level, side, is_slice) for side in sides))
    if isinstance(node, exp.NullSafeEQ):
        readable = _is_constant(node.expression) and _reads_texts(level, node.this)
        said = level.premises.holds(
            "condition", "the constant cannot be converted to NULL", readable
        )
        return strict_columns(level, node.this, is_slice) if said else _NONE
    return strict_columns(level, node, is_slice)


def _stands_alone(level: Level, node: exp.Expr) -> bool:
    return level.premises.holds("condition", "it is compared with one value", not is_chained(node))


def _reads_texts(level: Level, node: exp.Expr) -> bool:
    """Return whether a column's type can be compared with any constant."""
    node = unwrap(node)
    found = level.local(node) if isinstance(node, exp.Column) else None
    kind = found[1].type if found else None
    return kind is not None and kind.name not in types.PARSED


def _not_true(level: Level, node: exp.Expr, is_slice: IsSlice) -> Columns:
    """Return the facts of a true `NOT node`: the node is false, not NULL."""
    if isinstance(node, exp.Is):
        return (
            strict_columns(level, node.this, is_slice)
            if isinstance(node.expression, exp.Null)
            else _NONE
        )
    return strict_columns(level, node, is_slice)


def strict_columns(level: Level, node: exp.Expr | None, is_slice: IsSlice) -> Columns:
    """Return the level's own columns that are not NULL if the expression is not NULL."""
    node = unwrap(node) if node is not None else None
    if isinstance(node, exp.Column):
        found = level.local(node)
        return frozenset({(found[0].number, found[1].name.lower())}) if found else _NONE
    if isinstance(node, exp.Not | exp.Neg | exp.BitwiseNot | exp.Collate):
        return strict_columns(level, node.this, is_slice)
    if isinstance(node, _STRICT_OPERATORS):
        # `x > ALL (nothing)` is true for NULL; a tuple may differ before its NULL.
        one = not is_chained(node) and not any(
            isinstance(unwrap(side), _QUANTIFIED) for side in (node.this, node.expression)
        )
        if not level.premises.holds("condition", "it is compared with one value", one):
            return _NONE
        return strict_columns(level, node.this, is_slice) | strict_columns(
            level, node.expression, is_slice
        )
    if isinstance(node, exp.In | exp.Between) and not _stands_alone(level, node):
        return _NONE
    if isinstance(node, exp.Between):
        return strict_columns(level, node.this, is_slice)
    if isinstance(node, exp.In):
        values = node.expressions
        certain = values and not any(is_slice(value) for value in values)
        if not level.premises.holds("condition", "the list is not empty", certain):
            return _NONE
        return strict_columns(level, node.this, is_slice)
    if isinstance(node, exp.Cast):
        return strict_columns(level, node.this, is_slice)
    if node is None:
        return _NONE
    name = name_of(node)
    known = name in STRICT
    if isinstance(node, exp.Func):
        known = level.premises.holds("condition", "the function is strict", known)
    if known:
        strict = arguments(node)[: STRICT_IN.get(name)]
        return _NONE.union(*(strict_columns(level, argument, is_slice) for argument in strict))
    return _NONE


def _is_boolean(node: exp.Expr) -> bool:
    """`IS TRUE` and `IS FALSE` are false for NULL; `IS NULL` and `IS UNKNOWN` are not."""
    return isinstance(node, exp.Boolean)


def _is_constant(node: exp.Expr) -> bool:
    return isinstance(unwrap(node), exp.Literal | exp.Boolean)


def settle(level: Level, where: exp.Expr | None, is_slice: IsSlice) -> None:
    """Collect the facts of WHERE and the joins, and the outer joins that cannot add NULLs."""
    holds = level.premises.holds
    turned = any(join.side in {"RIGHT", "FULL"} for join in level.joins)
    proved = [where] if where is not None else []
    for join in level.joins:
        around = not join.nested and not turned
        if not join.side and around and join.on is not None:
            proved.append(join.on)
        if (
            join.using
            and holds("using", "it is an inner join", not join.side)
            and holds("using", "no outer join stands around it", around)
        ):
            _note(level, _using(level, join), "using")
    for condition in proved:
        _note(level, true_columns(level, condition, is_slice), "condition")
    while _revive(level, is_slice):
        pass


def _note(level: Level, columns: Columns, rule: str) -> None:
    for column in columns:
        level.facts.setdefault(column, rule)


def _using(level: Level, join: Join) -> Columns:
    """Both sides of `USING (x)` are equal, so neither is NULL; skip a side that is unclear."""
    keys: set[ColumnKey] = set()
    for name in join.using:
        for side in (join.left, join.right):
            having = [number for number in side if level.sources[number].output(name)]
            keys |= {(number, name.lower()) for number in having if len(having) == 1}
    return frozenset(keys)


def _revive(level: Level, is_slice: IsSlice) -> bool:
    """A column that is not NULL belongs to a real row, so its outer joins found a match.

    A LEFT JOIN that did not null has matched, so its ON was true, which may prove more.
    """
    alive = {
        number
        for source_number, _ in level.facts
        for number in level.sources[source_number].nulled_by - level.dead
    }
    if not alive:
        return False
    level.dead |= alive
    for join in level.joins:
        if join.number in alive and join.side == "LEFT":
            _note(level, true_columns(level, join.on, is_slice), "condition")
    return True
