"""Whether an expression can be NULL: prove that it cannot, otherwise it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlglot import exp

from aiosqlc.analysis.rules import EVERY_PART, ONE_PART
from aiosqlc.mysql.facts import Columns, IsSlice, strict_columns, true_columns
from aiosqlc.mysql.functions import (
    AGGREGATES_OF_ROWS,
    BIT_AGGREGATES,
    NEVER_NULL,
    RANKS,
    TOTAL,
    arguments,
    name_of,
    routine_name,
)
from aiosqlc.mysql.rules import holds
from aiosqlc.mysql.scope import Level, Result, is_chained, unwrap

# NULL only for a NULL operand. Overflow is an error, so it is no NULL.
_TOTAL_OPERATORS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.And, exp.Or, exp.Xor, exp.Add,
    exp.Sub, exp.Mul, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseLeftShift,
    exp.BitwiseRightShift,
)  # fmt: skip
_DIVISIONS = (exp.Div, exp.IntDiv, exp.Mod)
_LEAST = 1e-30  # of a number with a hundred digits after its point the server reads the first ones
_SAFE_CASTS = frozenset(
    {
        "BIGINT",
        "UBIGINT",
        "INT",
        "DECIMAL",
        "UDECIMAL",
        "CHAR",
        "VARCHAR",
        "TEXT",
        "NCHAR",
        "BINARY",
    }
)


@dataclass(frozen=True)
class Proof:
    """What the rules need besides the expression.

    `required` says whether a placeholder is never None, `read` gives what a sub-select returns.
    `given` are columns that a surrounding CASE has shown not to be NULL, `never_null` functions
    that the user says never return it. `used` are the rules that have proved something so far.
    """

    level: Level
    required: Callable[[exp.Expr], bool]
    read: Callable[[exp.Expr, Level], Result]
    is_slice: IsSlice
    given: Columns = field(default_factory=frozenset)
    never_null: frozenset[str] = frozenset()
    converts: Callable[[exp.Expr, Level], bool] = lambda _node, _level: False
    used: list[str] = field(default_factory=list)

    def knowing(self, columns: Columns) -> Proof:
        """Return the proof inside a branch that is entered only where `columns` are not NULL."""
        return replace(self, given=self.given | columns)


def is_not_null(node: exp.Expr | None, proof: Proof) -> bool:
    """Return whether the value of `node` in a returned row is never NULL."""
    if node is None:
        return False
    node = unwrap(node)
    if not holds("expression", "it is not in a super-aggregate row", not proof.level.rollup):
        return _under_rollup(node)
    # Over no row, MariaDB does not run a sub-select and takes NULL for its answer.
    run = not (proof.level.bare_is_null and _asks(node))
    if not holds("expression", "it is evaluated for a row", run):
        return False
    same = not proof.converts(node, proof.level)
    if not holds("expression", "no value is converted to another type", same):
        return False
    before = len(proof.used)
    name, rule = next(((n, r) for kinds, n, r in _RULES if isinstance(node, kinds)), _FUNCTION)
    if not rule(node, proof):
        del proof.used[before:]
        return False
    if name:
        proof.used.append(name)
    return True


def _asks(node: exp.Expr) -> bool:
    """Return whether an expression is a sub-select, or a test on one."""
    query = node.args.get("query") is not None
    return query or isinstance(node, exp.Query | exp.Exists | exp.Any | exp.All)


def _all(rule: str, nodes: list[exp.Expr], proof: Proof) -> bool:
    return holds(rule, EVERY_PART, all(is_not_null(node, proof) for node in nodes))


def _under_rollup(node: exp.Expr) -> bool:
    """In a super-aggregate row, whatever is grouped by is NULL, literals and counts excepted."""
    return isinstance(node, exp.Count) or (isinstance(node, exp.Literal) and not node.is_string)


def _always(_node: exp.Expr, _proof: Proof) -> bool:
    return True


def _never(_node: exp.Expr, _proof: Proof) -> bool:
    return False


def _column(node: exp.Expr, proof: Proof) -> bool:
    if not isinstance(node, exp.Column):
        return False
    found = proof.level.resolve(node)
    if found is None:
        return False
    level, source, output = found
    if not holds("column", "a row was read", not level.bare_is_null):
        return False
    if level is proof.level and (source.number, output.name.lower()) in proof.given:
        proof.used.append("condition")
        return True
    if not level.is_not_null(source, output):
        return False
    proof.used.extend(level.rules_of(source, output))
    return True


def _operator(node: exp.Expr, proof: Proof) -> bool:
    sides = [node.this, node.expression]
    moved = any(isinstance(side, exp.Interval) for side in sides)  # out of range it is NULL
    if not holds("operator", "no date is changed", not moved):
        return False
    return _all("operator", [s for s in sides if not isinstance(s, exp.Interval)], proof)


def _null_safe(node: exp.Expr, proof: Proof) -> bool:
    alone = holds("null-safe", "it is not part of a chain of comparisons", not is_chained(node))
    return alone or all(is_not_null(side, proof) for side in (node.this, node.expression))


def _quantified(node: exp.Expr, proof: Proof) -> bool:
    outputs = proof.read(node.this, proof.level).outputs
    values = bool(outputs) and all(output.not_null for output in outputs or ())
    return holds("quantified", EVERY_PART, values)


def _divided(node: exp.Expr, proof: Proof) -> bool:
    divisor = unwrap(node.expression)
    by_number = (
        isinstance(divisor, exp.Literal)
        and not divisor.is_string
        and abs(float(divisor.this)) >= _LEAST
    )
    number = holds("division", "the divisor is a constant other than 0", by_number)
    return number and _all("division", [node.this], proof)


def _one(node: exp.Expr, proof: Proof) -> bool:
    return is_not_null(node.this, proof)


def _tuple(node: exp.Expr, proof: Proof) -> bool:
    return _all("operator", node.expressions, proof)


def _between(node: exp.Expr, proof: Proof) -> bool:
    return _all("operator", [node.this, node.args["low"], node.args["high"]], proof)


def _in(node: exp.Expr, proof: Proof) -> bool:
    return holds("in", EVERY_PART, _in_values(node, proof))


def _in_values(node: exp.Expr, proof: Proof) -> bool:
    if not is_not_null(node.this, proof):
        return False
    query = node.args.get("query")
    if query is not None:
        outputs = proof.read(query, proof.level).outputs
        return outputs is not None and all(output.not_null for output in outputs)
    return all(proof.is_slice(value) or is_not_null(value, proof) for value in node.expressions)


def _coalesce(node: exp.Expr, proof: Proof) -> bool:
    values = [node.this, *node.expressions]
    return holds("coalesce", ONE_PART, any(is_not_null(value, proof) for value in values))


def _cast(node: exp.Expr, proof: Proof) -> bool:
    target = node.args.get("to")
    kind = target.this.value if isinstance(target, exp.DataType) else ""
    plain = isinstance(target, exp.DataType) and (kind == "DECIMAL" or not target.expressions)
    safe = holds("cast", "every value can be cast", plain and kind in _SAFE_CASTS)
    return safe and _all("cast", [node.this], proof)


def _case(node: exp.Expr, proof: Proof) -> bool:
    return holds("case", EVERY_PART, _every_branch(node, proof))


def _every_branch(node: exp.Expr, proof: Proof) -> bool:
    otherwise: Columns = frozenset()
    operand = node.args.get("this")
    for branch in node.args["ifs"]:
        condition = branch.this
        if operand is None:
            known = true_columns(proof.level, condition, proof.is_slice)
        else:
            known = strict_columns(proof.level, operand, proof.is_slice)
        if not is_not_null(branch.args["true"], proof.knowing(otherwise | known)):
            return False
        if operand is None:
            otherwise |= _if_false(condition, proof)
    return is_not_null(node.args.get("default"), proof.knowing(otherwise))


def _if(node: exp.Expr, proof: Proof) -> bool:
    known = true_columns(proof.level, node.this, proof.is_slice)
    return is_not_null(node.args.get("true"), proof.knowing(known)) and is_not_null(
        node.args.get("false"), proof.knowing(_if_false(node.this, proof))
    )


def _if_false(condition: exp.Expr, proof: Proof) -> Columns:
    """`x IS NULL` is never NULL itself: where it is not true, x has a value."""
    node = unwrap(condition)
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return strict_columns(proof.level, node.this, proof.is_slice)
    return frozenset()


def _subquery(node: exp.Expr, proof: Proof) -> bool:
    result = proof.read(node, proof.level)
    value = bool(result.outputs) and (result.outputs or ())[0].not_null
    return holds("subquery", "it has a row", result.at_least_one) and holds(
        "subquery", "its column is not NULL", value
    )


def _placeholder(node: exp.Expr, proof: Proof) -> bool:
    return holds("parameter", "it does not accept None", proof.required(node))


def _window(node: exp.Expr, proof: Proof) -> bool:
    inner = node.this
    name = name_of(inner)
    if name in RANKS or isinstance(inner, exp.Count):
        return True
    # The default frame holds the current row, so there is always one value to take.
    framed = node.args.get("spec") is None and node.args.get("alias") is None
    if not holds("window", "the frame contains the current row", framed):
        return False
    if not holds("case", "a condition of one branch does not apply to another", not proof.given):
        proof = replace(proof, given=frozenset())
    if name in AGGREGATES_OF_ROWS - {"GROUP_CONCAT"} or isinstance(
        inner, exp.FirstValue | exp.LastValue
    ):
        return _all("window", [inner.this], proof)
    return False


def _aggregate(node: exp.Expr, proof: Proof) -> bool:
    name = name_of(node)
    if isinstance(node, exp.Count) or name in BIT_AGGREGATES:
        return True
    if not holds("aggregate", "every group has a row", proof.level.grouped):
        return False
    if not holds("aggregate", "it is NULL only if all its inputs are", name in AGGREGATES_OF_ROWS):
        return False
    return _all("aggregate", _aggregated(node), proof)


def _aggregated(node: exp.Expr) -> list[exp.Expr]:
    """Return what is aggregated, without DISTINCT, ORDER BY and separator."""
    inner = node.this
    while isinstance(inner, exp.Order):
        inner = inner.this
    if isinstance(inner, exp.Distinct):
        return list(inner.expressions)
    return [inner] if isinstance(inner, exp.Expr) else []


def _function(node: exp.Expr, proof: Proof) -> bool:
    name = name_of(node)
    if name in NEVER_NULL or routine_name(name) in proof.never_null:
        return True
    return holds("function", "it is total", name in TOTAL) and _all(
        "function", arguments(node), proof
    )


Rule = Callable[[exp.Expr, Proof], bool]
# The first match counts: subclasses stand before their bases. Columns name their rules themselves,
# and what is always a value has none.
_RULES: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], str, Rule], ...] = (
    (exp.Column, "", _column),
    (exp.Null, "", _never),
    ((exp.Literal, exp.Boolean, exp.HexString, exp.BitString, exp.National), "", _always),
    ((exp.Is, exp.Exists), "", _always),
    (exp.NullSafeEQ, "null-safe", _null_safe),
    (exp.Placeholder, "parameter", _placeholder),
    (_TOTAL_OPERATORS, "operator", _operator),
    (_DIVISIONS, "division", _divided),
    ((exp.Not, exp.Neg, exp.BitwiseNot, exp.Collate), "operator", _one),
    ((exp.Any, exp.All), "quantified", _quantified),
    (exp.Tuple, "operator", _tuple),
    (exp.Between, "operator", _between),
    (exp.In, "in", _in),
    (exp.Coalesce, "coalesce", _coalesce),
    (exp.Cast, "cast", _cast),
    (exp.Case, "case", _case),
    (exp.If, "case", _if),
    ((exp.Subquery, exp.Query), "subquery", _subquery),
    (exp.Window, "window", _window),
    (exp.AggFunc, "aggregate", _aggregate),
)
_FUNCTION: tuple[str, Rule] = ("function", _function)
