"""Find the columns and expressions that a condition proves to be not NULL.

A condition has three outcomes: true, false and NULL. The facts for AND, OR and NOT follow from
three-valued logic. All other facts follow from strictness: a strict expression is NULL if an
operand is NULL, so if the expression is not NULL, no operand is NULL.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.mysql import types
from aiosqlc.mysql.expressions import PREDICATES
from aiosqlc.mysql.functions import PLAIN, SAFE_CASTS, STRICT, STRICT_IN, arguments, name_of
from aiosqlc.mysql.scope import ColumnKey, Fact, Join, Level, Written, is_chained, unwrap

Facts = frozenset[Fact]
Outcomes = frozenset[str]
TRUE, FALSE, NULL = "T", "F", "N"
IF_TRUE: Outcomes = frozenset({TRUE})
IF_KNOWN: Outcomes = frozenset({TRUE, FALSE})
IF_NOT_TRUE: Outcomes = frozenset({FALSE, NULL})
_ALL: Outcomes = frozenset({TRUE, FALSE, NULL})
_NEGATED = {TRUE: FALSE, FALSE: TRUE, NULL: NULL}
_NONE: Facts = frozenset()
_ARITHMETIC = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.BitwiseAnd, exp.BitwiseOr,
    exp.BitwiseXor, exp.BitwiseLeftShift, exp.BitwiseRightShift,
)  # fmt: skip
# Operators that return NULL if an operand is NULL.
_STRICT_OPERATORS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.RegexpLike, exp.Xor,
    *_ARITHMETIC,
)  # fmt: skip
_QUANTIFIED = (exp.Any, exp.All, exp.Tuple)
_CALCULATED = (exp.Func, exp.Neg, exp.BitwiseNot, *_ARITHMETIC)
# Expressions that are NULL for the same rows on every evaluation and in every type.
_STABLE = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg, exp.Not,
    exp.BitwiseNot, exp.Nullif, exp.Coalesce, exp.DataType, exp.DataTypeParam, exp.Case, exp.If,
    exp.And, exp.Or, *_STRICT_OPERATORS,
)  # fmt: skip
IsSlice = Callable[[exp.Expr], bool]


def facts_of(
    level: Level, condition: exp.Expr | None, possible: Outcomes, is_slice: IsSlice
) -> Facts:
    """Return the expressions that are not NULL if the condition's outcome is one of `possible`."""
    if condition is None:
        return _NONE
    node = unwrap(condition)
    if isinstance(node, exp.And | exp.Or):
        return _connected(level, node, possible, is_slice)
    if isinstance(node, exp.Not):
        negated = frozenset(_NEGATED[outcome] for outcome in possible)
        return facts_of(level, node.this, negated, is_slice)
    if isinstance(node, exp.Is):
        return _tested(level, node, possible, is_slice)
    if isinstance(node, exp.NullSafeEQ):
        return _equal(level, node, is_slice) if FALSE not in possible else _NONE
    if NULL in possible:
        return _NONE
    if possible == IF_TRUE and isinstance(node, exp.Coalesce):
        return known(level, node, is_slice) | _instead(level, node, is_slice)
    if possible == IF_TRUE and isinstance(node, exp.In) and _stands_alone(level, node):
        return known(level, node.this, is_slice)  # x equals one of the values
    if possible == IF_TRUE and isinstance(node, exp.Between) and _stands_alone(level, node):
        sides = (node.this, node.args.get("low"), node.args.get("high"))
        return _NONE.union(*(known(level, side, is_slice) for side in sides))
    return known(level, node, is_slice)


def _connected(level: Level, node: exp.Expr, possible: Outcomes, is_slice: IsSlice) -> Facts:
    """Apply `facts_of` to AND or OR: one FALSE operand decides AND, and one TRUE decides OR."""
    decider, agreement = (FALSE, TRUE) if isinstance(node, exp.And) else (TRUE, FALSE)
    sides = (node.this, node.expression)
    alternatives: list[Facts] = []
    if agreement in possible:
        agreed = frozenset({agreement})
        alternatives.append(
            _NONE.union(*(facts_of(level, side, agreed, is_slice) for side in sides))
        )
    some = possible - {agreement}
    if decider in some:
        alternatives += [facts_of(level, side, some, is_slice) for side in sides]
    elif some:
        return _NONE
    return frozenset.intersection(*alternatives) if alternatives else _NONE


def _tested(level: Level, node: exp.Is, possible: Outcomes, is_slice: IsSlice) -> Facts:
    """Apply `facts_of` to a test such as `x IS TRUE`."""
    wanted = unwrap(node.expression)
    if isinstance(wanted, exp.Null):
        passing = frozenset({NULL})
    elif isinstance(wanted, exp.Boolean):
        passing = frozenset({TRUE if wanted.this else FALSE})
    else:
        return _NONE
    inner: Outcomes = passing if TRUE in possible else frozenset()
    if possible & IF_NOT_TRUE:
        inner |= _ALL - passing
    if not level.premises.holds(
        "condition", "the test is false for a NULL operand", NULL not in inner
    ):
        return _NONE
    return facts_of(level, node.this, inner - {NULL}, is_slice)


def _equal(level: Level, node: exp.NullSafeEQ, is_slice: IsSlice) -> Facts:
    """Return the expressions that are not NULL if `x <=> constant` is true: x and its operands."""
    readable = _is_constant(node.expression) and _reads_texts(level, node.this)
    said = level.premises.holds("condition", "the constant cannot be converted to NULL", readable)
    return known(level, node.this, is_slice) if said else _NONE


def _instead(level: Level, node: exp.Coalesce, is_slice: IsSlice) -> Facts:
    """Return the expressions that are not NULL if `COALESCE(x, FALSE)`, and so x, is true."""
    untrue = all(_is_untrue(unwrap(value)) for value in node.expressions)
    if not level.premises.holds("condition", "the value that replaces NULL is false", untrue):
        return _NONE
    first = unwrap(node.this)
    outcomes = IF_TRUE if isinstance(first, PREDICATES) else IF_KNOWN
    return facts_of(level, first, outcomes, is_slice)


def _is_untrue(node: exp.Expr) -> bool:
    if isinstance(node, exp.Literal):
        return not node.is_string and float(node.this) == 0
    return isinstance(node, exp.Null) or (isinstance(node, exp.Boolean) and not node.this)


def _stands_alone(level: Level, node: exp.Expr) -> bool:
    return level.premises.holds(
        "condition", "the operand is compared with a single value", not is_chained(node)
    )


def _reads_texts(level: Level, node: exp.Expr) -> bool:
    """Return whether a comparison of this column with a text never converts the text to NULL."""
    node = unwrap(node)
    found = level.local(node) if isinstance(node, exp.Column) else None
    kind = found[1].type if found else None
    return kind is not None and kind.name not in types.PARSED


def known(level: Level, node: exp.Expr | None, is_slice: IsSlice) -> Facts:
    """Return the columns and expressions that cannot be NULL if the expression is not NULL."""
    node = unwrap(node) if node is not None else None
    if node is None:
        return _NONE
    if isinstance(node, exp.Column):
        found = level.local(node)
        return frozenset({(found[0].number, found[1].name.lower())}) if found else _NONE
    return _itself(level, node) | _operands(level, node, is_slice)


def _operands(level: Level, node: exp.Expr, is_slice: IsSlice) -> Facts:
    if isinstance(node, exp.And | exp.Or):
        return _connected(level, node, IF_KNOWN, is_slice)
    if isinstance(node, exp.Not | exp.Neg | exp.BitwiseNot | exp.Collate | exp.Cast | exp.Nullif):
        return known(level, node.this, is_slice)
    if isinstance(node, _STRICT_OPERATORS):
        # `x > ALL (nothing)` is true for NULL, and a tuple may differ before its NULL.
        one = not is_chained(node) and not any(
            isinstance(unwrap(side), _QUANTIFIED) for side in (node.this, node.expression)
        )
        if not level.premises.holds(
            "condition", "the operand is compared with a single value", one
        ):
            return _NONE
        return known(level, node.this, is_slice) | known(level, node.expression, is_slice)
    if isinstance(node, exp.In | exp.Between) and not _stands_alone(level, node):
        return _NONE
    if isinstance(node, exp.Between):
        return known(level, node.this, is_slice)
    if isinstance(node, exp.In):
        values = node.expressions
        certain = values and not any(is_slice(value) for value in values)
        if not level.premises.holds("condition", "the list is not empty", certain):
            return _NONE
        return known(level, node.this, is_slice)
    name = name_of(node)
    strict = name in STRICT
    if isinstance(node, exp.Func):
        strict = level.premises.holds("condition", "the function is strict", strict)
    if not strict:
        return _NONE
    given = arguments(node)[: STRICT_IN.get(name)]
    return _NONE.union(*(known(level, argument, is_slice) for argument in given))


def _is_constant(node: exp.Expr) -> bool:
    return isinstance(unwrap(node), exp.Literal | exp.Boolean)


# --- expressions ----------------------------------------------------------------------------------


def _itself(level: Level, node: exp.Expr) -> Facts:
    written = written_as(level, node)
    return frozenset({written}) if written is not None else _NONE


def written_as(level: Level, node: exp.Expr) -> Written | None:
    """Return a key for a calculation, or None if a second evaluation may give another value.

    Expressions with the same key have the same value in each row.
    """
    if not isinstance(node, _CALCULATED) or isinstance(node, exp.Connector):
        return None
    stable = all(_is_stable(level, inner) for inner in node.walk())
    if not level.premises.holds(
        "condition", "a second evaluation of the operand gives the same value", stable
    ):
        return None
    return ("", _written(level, node))


def _is_stable(level: Level, node: exp.Expr) -> bool:
    if isinstance(node, exp.Column):
        return level.local(node) is not None
    if isinstance(node, exp.Cast):
        return node.to.this.value in SAFE_CASTS
    return isinstance(node, _STABLE) or name_of(node) in PLAIN


def _written(level: Level, node: object) -> object:
    if isinstance(node, exp.Column) and (found := level.local(node)):
        return found[0].number, found[1].name.lower()
    if isinstance(node, exp.Paren):
        return _written(level, node.this)
    if isinstance(node, exp.Expr):
        parts = ((name, _written(level, part)) for name, part in node.args.items() if part)
        return type(node).__name__, *parts
    if isinstance(node, list):
        return tuple([_written(level, part) for part in node])
    return node


# --- FROM and WHERE -------------------------------------------------------------------------------


def settle(level: Level, where: exp.Expr | None, is_slice: IsSlice) -> None:
    """Collect the expressions that WHERE and joins prove not NULL; mark joins that always match."""
    holds = level.premises.holds
    turned = any(join.side in {"RIGHT", "FULL"} for join in level.joins)
    proved = [where] if where is not None else []
    for join in level.joins:
        around = not join.nested and not turned
        if not join.side and around and join.on is not None:
            proved.append(join.on)
        if (
            join.using
            and holds("using", "the join is an inner join", not join.side)
            and holds("using", "no outer join contains the join", around)
        ):
            _note(level, _using(level, join), "using")
    for condition in proved:
        _note(level, facts_of(level, condition, IF_TRUE, is_slice), "condition")
    while _revive(level, is_slice):
        pass


def under(level: Level, facts: Facts, is_slice: IsSlice) -> Level:
    """Return a copy of a scope with more expressions known to be not NULL, as in a WHEN."""
    inner = replace(level, facts=dict(level.facts), dead=set(level.dead))
    _note(inner, facts, "condition")
    while _revive(inner, is_slice):
        pass
    return inner


def _note(level: Level, facts: Facts, rule: str) -> None:
    for fact in facts:
        level.facts.setdefault(fact, rule)


def _using(level: Level, join: Join) -> Facts:
    """Return the columns of `USING (x)`, which are not NULL because the join compares them."""
    keys: set[ColumnKey] = set()
    for name in join.using:
        for side in (join.left, join.right):
            having = [number for number in side if level.sources[number].output(name)]
            keys |= {(number, name.lower()) for number in having if len(having) == 1}
    return frozenset(keys)


def _revive(level: Level, is_slice: IsSlice) -> bool:
    """Mark each outer join that has a match, because a column of its optional table is not NULL.

    If a LEFT JOIN always has a match, its ON condition is true, which may prove more facts.
    """
    alive = {
        number
        for source, _ in level.facts
        if isinstance(source, int)
        for number in level.sources[source].nulled_by - level.dead
    }
    if not alive:
        return False
    level.dead |= alive
    for join in level.joins:
        if join.number in alive and join.side == "LEFT":
            _note(level, facts_of(level, join.on, IF_TRUE, is_slice), "condition")
    return True
