"""Nullability rules for subqueries in expressions."""

from __future__ import annotations

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Node


def infer_sublink(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether a subquery in an expression (SUBLINK) can be NULL."""
    kind = node["subLinkType"]
    if kind == kinds.SubLink.EXISTS:
        return never("exists", "EXISTS is true or false")
    if kind == kinds.SubLink.ARRAY:
        return never("array-subquery", "ARRAY(…) returns an array, which is empty without rows")
    if kind == kinds.SubLink.EXPR:
        return _scalar(p, node["subselect"], scope)
    if kind in (kinds.SubLink.ANY, kinds.SubLink.ALL) and node["testexpr"] is not None:
        return _comparison(p, node, scope)
    return maybe("a subquery without rows is NULL")


def _scalar(p: Prover, query: Node, scope: Scope) -> Verdict:
    column = p.column(query, 1, scope)
    if not p.facts.holds(
        "scalar-subquery", "the column of the subquery is not NULL", not column.null
    ):
        return maybe("the subquery's value may be NULL", column)
    some = p.resolver.at_least_one(p.facts, scope.inner(query))
    if not p.facts.holds("scalar-subquery", "the subquery returns a row", some):
        return maybe("a scalar subquery without rows is NULL")
    return never(
        "scalar-subquery", "the subquery always returns a row, and its value is not NULL", column
    )


def _comparison(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether `x op ANY (select …)` can be NULL, from whether `op` can be NULL."""
    p.sublink_columns.append((node["subselect"], scope))
    try:
        with p.assuming(node, scope):
            verdict = p.infer(node["testexpr"], scope)
    finally:
        p.sublink_columns.pop()
    return p.all_of("subquery-comparison", [verdict], "neither side contains NULL")
