"""Prove that an expression cannot be NULL; without a proof, the expression may be NULL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from msgspec import Struct, field
from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.analysis.rules import EVERY_PART, ONE_PART
from aiosqlc.analysis.verdict import Verdict, maybe, never
from aiosqlc.mysql.facts import (
    IF_NOT_TRUE,
    IF_TRUE,
    Facts,
    IsSlice,
    facts_of,
    known,
    written_as,
)
from aiosqlc.mysql.functions import (
    AGGREGATES_OF_ROWS,
    BIT_AGGREGATES,
    JSON_AGGREGATES,
    NEVER_NULL,
    RANKS,
    SAFE_CASTS,
    TOTAL,
    arguments,
    name_of,
    routine_name,
)
from aiosqlc.mysql.literals import has_current_row, is_true
from aiosqlc.mysql.scope import Level, Result, is_chained, unwrap

# Operators that are NULL only for a NULL operand. Overflow is an error and not NULL.
_TOTAL_OPERATORS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.And, exp.Or, exp.Xor, exp.Add,
    exp.Sub, exp.Mul, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseLeftShift,
    exp.BitwiseRightShift,
)  # fmt: skip
_DIVISIONS = (exp.Div, exp.IntDiv, exp.Mod)
_LEAST = 1e-30  # the server reads only the first digits of a number with a hundred decimal places
_CONSTANT = never("constant", "the expression is a constant")
_TEST = never("always", "a test such as IS NULL is true or false")
_IS_NULL = maybe("it is NULL")
_COUNTED = never("aggregate", "COUNT and the bit aggregates always return a number")
_BUILT_IN = never("never-null-function", "the function never returns NULL")
_VOUCHED = never("declared-function", "the configuration declares the function never NULL")


class Proof(Struct, frozen=True):
    """The information about a query that the nullability rules use.

    `required` returns whether a placeholder is never None. `read` returns the result of a
    sub-select. `given` are the expressions that a surrounding CASE proves to be not NULL.
    `never_null` are the functions that the user declares never NULL.
    """

    level: Level
    required: Callable[[exp.Expr], bool]
    read: Callable[[exp.Expr, Level], Result]
    is_slice: IsSlice
    given: Facts = field(default_factory=frozenset)
    never_null: frozenset[str] = frozenset()
    converts: Callable[[exp.Expr, Level], bool] = lambda _node, _level: False
    has_row: Callable[[Result], bool] = lambda _result: False

    def knowing(self, facts: Facts) -> Proof:
        """Return a copy for a branch of CASE in which the expressions in `facts` are not NULL."""
        return replace(self, given=self.given | facts)

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether a rule's precondition is met."""
        return self.level.premises.holds(rule, premise, value)

    def all_of(self, rule: str, verdicts: Iterable[Verdict], text: str) -> Verdict:
        """Return "not null" if all operands are not null, or name the first nullable operand."""
        parts = []
        for part in verdicts:
            parts.append(part)
            if part.null:
                break
        doubt = parts[-1] if parts and parts[-1].null else None
        if self.holds(rule, EVERY_PART, doubt is None):
            return Verdict(False, text, tuple(parts), rule)
        return Verdict(True, text, (doubt,) if doubt else ())

    def any_of(self, rule: str, verdicts: Iterable[Verdict], text: str) -> Verdict:
        """Return "not null" if one operand is not null, and name the first such operand."""
        parts = []
        for part in verdicts:
            if not part.null:
                parts = [part]
                break
            parts.append(part)
        if self.holds(rule, ONE_PART, parts and not parts[-1].null):
            return Verdict(False, text, tuple(parts), rule)
        return Verdict(True, text, tuple(parts))


def infer(node: exp.Expr | None, proof: Proof) -> Verdict:
    """Infer whether the value of an expression in a returned row can be NULL."""
    if node is None:
        return _IS_NULL
    node = unwrap(node)
    if not proof.holds(
        "expression", "the row is not a super-aggregate row of ROLLUP", not proof.level.rollup
    ):
        return _under_rollup(node)
    # If no row is read, MariaDB does not run a sub-select and uses NULL as its result.
    run = not (proof.level.bare_is_null and _asks(node))
    if not proof.holds("expression", "the expression is evaluated for a row", run):
        return maybe("the expression is not evaluated if there are no rows")
    same = not proof.converts(node, proof.level)
    if not proof.holds("expression", "no value is converted to another type", same):
        return maybe(
            "a value is converted to another type, and becomes NULL if the conversion fails"
        )
    rule = next((rule for kinds, rule in _RULES if isinstance(node, kinds)), _function)
    verdict = rule(node, proof)
    return _known(node, proof) or verdict if verdict.null else verdict


def _known(node: exp.Expr, proof: Proof) -> Verdict | None:
    """Return "not null" if a condition is true only if the whole expression is not NULL."""
    level = proof.level
    if not (level.facts or proof.given) or isinstance(node, exp.Column):
        return None
    written = written_as(level, node)
    if written is None or (written not in level.facts and written not in proof.given):
        return None
    if not proof.holds("column", "a row of the table was read", not level.bare_is_null):
        return None
    return never("condition", "a condition is true only if this expression is not NULL")


def _inferred(nodes: Iterable[exp.Expr | None], proof: Proof) -> Iterator[Verdict]:
    return (infer(node, proof) for node in nodes)


def _asks(node: exp.Expr) -> bool:
    """Return whether an expression is a sub-select, or a test of a sub-select's rows."""
    query = node.args.get("query") is not None
    return query or isinstance(node, exp.Query | exp.Exists | exp.Any | exp.All)


def _under_rollup(node: exp.Expr) -> Verdict:
    """Return the verdict under ROLLUP: in a total row, only literals and counts are never NULL."""
    if isinstance(node, exp.Count):
        return _COUNTED
    if isinstance(node, exp.Literal) and not node.is_string:
        return _CONSTANT
    return maybe("in a super-aggregate row, a grouping key is NULL")


def _constant(_node: exp.Expr, _proof: Proof) -> Verdict:
    return _CONSTANT


def _test(_node: exp.Expr, _proof: Proof) -> Verdict:
    return _TEST


def _null(_node: exp.Expr, _proof: Proof) -> Verdict:
    return _IS_NULL


def _column(node: exp.Expr, proof: Proof) -> Verdict:
    found = proof.level.resolve(node) if isinstance(node, exp.Column) else None
    if found is None:
        return maybe("the column is not known")
    level, source, output = found
    if not proof.holds("column", "a row of the table was read", not level.bare_is_null):
        return maybe("without rows every column is NULL")
    if level is proof.level and (source.number, output.name.lower()) in proof.given:
        return never("condition", f"this branch applies to rows in which {node.name} is not NULL")
    return level.column(source, output)


def _operator(node: exp.Expr, proof: Proof) -> Verdict:
    sides = [node.this, node.expression]
    moved = any(isinstance(side, exp.Interval) for side in sides)  # a result out of range is NULL
    if not proof.holds("operator", "the operation does not change a date", not moved):
        return maybe("a date out of range becomes NULL")
    return _strict([s for s in sides if not isinstance(s, exp.Interval)], proof)


def _strict(nodes: Iterable[exp.Expr | None], proof: Proof) -> Verdict:
    text = "an operator is not NULL if its operands are not NULL"
    return proof.all_of("operator", _inferred(nodes, proof), text)


def _null_safe(node: exp.Expr, proof: Proof) -> Verdict:
    text = "<=> is true or false"
    alone = not is_chained(node)
    if proof.holds("null-safe", "the comparison is not part of a chain of comparisons", alone):
        return never("null-safe", text)
    parts = [infer(side, proof) for side in (node.this, node.expression)]
    doubts = [part for part in parts if part.null]
    return (
        maybe("an operand of <=> may be NULL", *doubts)
        if doubts
        else never("null-safe", text, *parts)
    )


def _quantified(node: exp.Expr, proof: Proof) -> Verdict:
    text = "ANY and ALL are not NULL if neither side contains NULL"
    return proof.all_of("quantified", _offered(node.this, proof), text)


def _offered(query: exp.Expr, proof: Proof) -> list[Verdict]:
    """Return the verdicts for the columns of a sub-select."""
    outputs = proof.read(query, proof.level).outputs
    if not outputs:
        return [maybe("the columns of the sub-select are not known")]
    return [output.verdict for output in outputs]


def _divided(node: exp.Expr, proof: Proof) -> Verdict:
    divisor = unwrap(node.expression)
    by_number = (
        isinstance(divisor, exp.Literal)
        and not divisor.is_string
        and abs(float(divisor.this)) >= _LEAST
    )
    if not proof.holds("division", "the divisor is a constant other than 0", by_number):
        return maybe("a division by 0 is NULL")
    text = "a division of a value by a number other than 0 is not NULL"
    return proof.all_of("division", _inferred([node.this], proof), text)


def _one(node: exp.Expr, proof: Proof) -> Verdict:
    return infer(node.this, proof)


def _tuple(node: exp.Expr, proof: Proof) -> Verdict:
    return _strict(node.expressions, proof)


def _between(node: exp.Expr, proof: Proof) -> Verdict:
    return _strict([node.this, node.args["low"], node.args["high"]], proof)


def _in(node: exp.Expr, proof: Proof) -> Verdict:
    query = node.args.get("query")
    values = (
        _offered(query, proof)
        if query is not None
        else (infer(value, proof) for value in node.expressions if not proof.is_slice(value))
    )
    text = "IN is not NULL if neither side contains NULL"
    return proof.all_of("in", chain([infer(node.this, proof)], values), text)


def _coalesce(node: exp.Expr, proof: Proof) -> Verdict:
    values = [node.this, *node.expressions]
    text = "at least one argument of COALESCE is not NULL"
    return proof.any_of("coalesce", _inferred(values, proof), text)


def _cast(node: exp.Expr, proof: Proof) -> Verdict:
    target = node.args.get("to")
    kind = target.this.value if isinstance(target, exp.DataType) else ""
    plain = isinstance(target, exp.DataType) and (kind == "DECIMAL" or not target.expressions)
    if not proof.holds("cast", "every value can be cast", plain and kind in SAFE_CASTS):
        return maybe("a cast of an invalid value is NULL")
    text = "a cast of a value to a number or a text is not NULL"
    return proof.all_of("cast", _inferred([node.this], proof), text)


def _case(node: exp.Expr, proof: Proof) -> Verdict:
    return proof.all_of("case", _branches(node, proof), "no branch of CASE is NULL")


def _branches(node: exp.Expr, proof: Proof) -> Iterator[Verdict]:
    otherwise: Facts = frozenset()
    operand = node.args.get("this")
    for branch in node.args["ifs"]:
        condition = branch.this
        if operand is None:
            facts = facts_of(proof.level, condition, IF_TRUE, proof.is_slice)
        else:
            facts = known(proof.level, operand, proof.is_slice)
        yield infer(branch.args["true"], proof.knowing(otherwise | facts))
        if operand is None:
            if proof.holds(
                "case", "a condition that is always true ends the CASE", is_true(condition)
            ):
                return
            otherwise |= facts_of(proof.level, condition, IF_NOT_TRUE, proof.is_slice)
    yield infer(node.args.get("default"), proof.knowing(otherwise))


def _if(node: exp.Expr, proof: Proof) -> Verdict:
    branches = (
        infer(
            node.args.get(branch),
            proof.knowing(facts_of(proof.level, node.this, possible, proof.is_slice)),
        )
        for branch, possible in (("true", IF_TRUE), ("false", IF_NOT_TRUE))
    )
    return proof.all_of("case", branches, "no branch of IF is NULL")


def _subquery(node: exp.Expr, proof: Proof) -> Verdict:
    result = proof.read(node, proof.level)
    if not proof.holds("subquery", "the subquery returns a row", proof.has_row(result)):
        return maybe("a sub-select without a row is NULL")
    (value, *_) = _offered(node, proof)
    if not proof.holds("subquery", "the column of the subquery is not NULL", not value.null):
        return maybe("the column of the sub-select may be NULL", value)
    return never("subquery", "the sub-select always returns a row", value)


def _placeholder(node: exp.Expr, proof: Proof) -> Verdict:
    if proof.holds("parameter", "the parameter does not accept None", proof.required(node)):
        return never("parameter", "the parameter is required")
    return maybe("the parameter may be NULL")


def _window(node: exp.Expr, proof: Proof) -> Verdict:
    inner = node.this
    name = name_of(inner)
    text = "a window function is not NULL if its frame contains the current row"
    if name in RANKS or isinstance(inner, exp.Count):
        return never("window", "a rank or a count is always a number")
    framed = node.args.get("alias") is None and has_current_row(node.args.get("spec"))
    if not proof.holds("window", "the window frame contains the current row", framed):
        return maybe("the frame may be empty")
    if not proof.holds(
        "case", "each branch is checked under its own condition only", not proof.given
    ):
        proof = replace(proof, given=frozenset())
    if name in AGGREGATES_OF_ROWS - {"GROUP_CONCAT"} or isinstance(
        inner, exp.FirstValue | exp.LastValue
    ):
        return proof.all_of("window", _inferred([inner.this], proof), text)
    return maybe(f"{name or 'the function'} may find no row")


def _aggregate(node: exp.Expr, proof: Proof) -> Verdict:
    name = name_of(node)
    if isinstance(node, exp.Count) or name in BIT_AGGREGATES:
        return _COUNTED
    if name in JSON_AGGREGATES:
        return _collected(node, proof)
    if not proof.holds("aggregate", "every group has a row", proof.level.grouped):
        return maybe("an aggregate over no rows is NULL")
    if not proof.holds(
        "aggregate",
        "the aggregate is NULL only if all its inputs are NULL",
        name in AGGREGATES_OF_ROWS,
    ):
        return maybe(f"{name} may be NULL even for values that are not NULL")
    text = "an aggregate over a group is not NULL if its input is not NULL"
    return proof.all_of("aggregate", _inferred(_aggregated(node), proof), text)


def _collected(node: exp.Expr, proof: Proof) -> Verdict:
    """Return the verdict for JSON_ARRAYAGG or JSON_OBJECTAGG.

    JSON_ARRAYAGG includes NULL values. JSON_OBJECTAGG omits NULL keys, and is NULL if every key is
    NULL.
    """
    if not proof.holds("aggregate", "every group has a row", proof.level.grouped):
        return maybe("an aggregate over no rows is NULL")
    keys = node.expressions[:1] if name_of(node) == "JSON_OBJECTAGG" else []
    text = "a JSON aggregate over a group is a list or an object"
    return proof.all_of("aggregate", _inferred(keys, proof), text)


def _aggregated(node: exp.Expr) -> list[exp.Expr]:
    """Return the expression in an aggregate, without DISTINCT, ORDER BY and SEPARATOR."""
    inner = node.this
    while isinstance(inner, exp.Order):
        inner = inner.this
    if isinstance(inner, exp.Distinct):
        return list(inner.expressions)
    return [inner] if isinstance(inner, exp.Expr) else []


def _function(node: exp.Expr, proof: Proof) -> Verdict:
    name = name_of(node)
    empty = name in {"JSON_ARRAY", "JSON_OBJECT"} and not node.expressions
    if name in NEVER_NULL or empty:
        return _BUILT_IN
    if name in JSON_AGGREGATES:
        return _collected(node, proof)
    if routine_name(name) in proof.never_null:
        return _VOUCHED
    if not proof.holds(
        "function", "the function returns NULL only for NULL arguments", name in TOTAL
    ):
        return maybe(f"{name or node.key} may return NULL for arguments that are not NULL")
    text = "this function is not NULL if its arguments are not NULL"
    return proof.all_of("function", _inferred(arguments(node), proof), text)


NodeRule = Callable[[exp.Expr, Proof], Verdict]
# The first match applies, so subclasses are listed before their base classes.
_RULES: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], NodeRule], ...] = (
    (exp.Column, _column),
    (exp.Null, _null),
    ((exp.Literal, exp.Boolean, exp.HexString, exp.BitString, exp.National), _constant),
    ((exp.Is, exp.Exists), _test),
    (exp.NullSafeEQ, _null_safe),
    (exp.Placeholder, _placeholder),
    (_TOTAL_OPERATORS, _operator),
    (_DIVISIONS, _divided),
    ((exp.Not, exp.Neg, exp.BitwiseNot, exp.Collate), _one),
    ((exp.Any, exp.All), _quantified),
    (exp.Tuple, _tuple),
    (exp.Between, _between),
    (exp.In, _in),
    (exp.Coalesce, _coalesce),
    (exp.Cast, _cast),
    (exp.Case, _case),
    (exp.If, _if),
    ((exp.Subquery, exp.Query), _subquery),
    (exp.Window, _window),
    (exp.AggFunc, _aggregate),
)
