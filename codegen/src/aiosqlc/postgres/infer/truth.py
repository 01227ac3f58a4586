"""Infer whether a condition can be true, false or NULL, from the facts about its operands."""

from __future__ import annotations

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import (
    BOOLEAN_TESTS,
    FALSE,
    NEGATED,
    NULL,
    TRUE,
    Outcomes,
)
from aiosqlc.postgres.infer.constants import constant_int, outcomes_of
from aiosqlc.postgres.infer.grouping import grouping_sets, is_ungrouped_aggregate
from aiosqlc.postgres.infer.joins import conjuncts
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node

_TRUE_OR_FALSE: Outcomes = frozenset({TRUE, FALSE})


def outcomes(p: Prover, node: Node, scope: Scope) -> Outcomes:
    """Return the possible outcomes of a condition: true, false or NULL."""
    if node.kind == "CONST":
        if node["constisnull"]:
            return frozenset({NULL})
        return frozenset({TRUE if any(node["constvalue"].data) else FALSE})
    if node.kind == "NULLTEST" and not node["argisrow"]:
        if p.infer(node["arg"], scope).null:
            return _TRUE_OR_FALSE
        return frozenset({TRUE if node["nulltesttype"] == kinds.IS_NOT_NULL else FALSE})
    if node.kind == "BOOLEXPR":
        return _boolean(p, node, scope)
    if node.kind == "BOOLEANTEST":
        holds = BOOLEAN_TESTS[node["booltesttype"]]
        inner = outcomes(p, node["arg"], scope)
        found = {TRUE} if inner & holds else set()
        return frozenset(found | ({FALSE} if inner - holds else set()))
    settled = outcomes_of(node, p.facts)
    if settled is not None:
        return settled
    return _TRUE_OR_FALSE | {NULL} if p.infer(node, scope).null else _TRUE_OR_FALSE


def _boolean(p: Prover, node: Node, scope: Scope) -> Outcomes:
    args = [outcomes(p, arg, scope) for arg in node["args"]]
    if node["boolop"] == "not":
        return frozenset(NEGATED[o] for o in args[0])
    decider, agreement = (FALSE, TRUE) if node["boolop"] == "and" else (TRUE, FALSE)
    found = set()
    if any(decider in arg for arg in args):
        found.add(decider)
    if all(agreement in arg for arg in args):
        found.add(agreement)
    if any(NULL in arg for arg in args) and all(arg & {NULL, agreement} for arg in args):
        found.add(NULL)
    return frozenset(found)


def has_no_rows(p: Prover, scope: Scope) -> bool:
    """Return whether a query has no rows: its conditions contradict each other, or LIMIT is 0.

    An aggregate over no rows still returns a row.
    """
    query = scope.query
    if constant_int(query["limitCount"]) == 0:
        return True
    if scope.command == kinds.Command.MERGE or is_ungrouped_aggregate(query):
        return False
    sets = grouping_sets(query)
    if sets is None or frozenset() in sets or not scope.joins.always:
        return False
    return any(
        TRUE not in outcomes(p, condition, scope)
        for qual in scope.joins.always
        for condition in conjuncts(qual)
        if condition.kind in {"NULLTEST", "CONST", "BOOLEXPR", "BOOLEANTEST"}
    )
