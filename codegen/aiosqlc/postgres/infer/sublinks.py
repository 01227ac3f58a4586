"""Rules for subqueries used as expressions."""

from __future__ import annotations

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.prover import Prover, rule
from aiosqlc.postgres.infer.relations import column_verdict
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, all_of, maybe, never
from aiosqlc.postgres.tree import Node


@rule("SUBLINK")
def _sublink(p: Prover, node: Node, scope: Scope) -> Verdict:
    kind = node["subLinkType"]
    if kind == kinds.SubLink.EXISTS:
        return never("EXISTS is true or false")
    if kind == kinds.SubLink.ARRAY:
        return never("ARRAY(…) makes an array, empty for no rows")
    if kind == kinds.SubLink.EXPR:
        return _scalar(p, node["subselect"], scope)
    if kind in (kinds.SubLink.ANY, kinds.SubLink.ALL) and node["testexpr"] is not None:
        return _comparison(p, node, scope)
    return maybe("a subquery without rows is NULL")


def _scalar(p: Prover, query: Node, scope: Scope) -> Verdict:
    from aiosqlc.postgres.infer.cardinality import RowCounter

    column = column_verdict(p, query, 1, scope)
    if column.null:
        return maybe("the subquery's value may be NULL", column)
    if not RowCounter(p.facts).at_least_one(scope.inner(query)):
        return maybe("a scalar subquery without rows is NULL")
    return never("the subquery always has a row, and its value is not NULL", column)


def _comparison(p: Prover, node: Node, scope: Scope) -> Verdict:
    """`x op ANY (select …)` is NULL only if some comparison is."""
    p.sublink_columns.append((node["subselect"], scope))
    try:
        with p.assuming(node, scope):
            verdict = p.judge(node["testexpr"], scope)
    finally:
        p.sublink_columns.pop()
    return all_of([verdict], "compares a value with values")
