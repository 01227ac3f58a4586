"""Match expressions and conditions of a query with the expressions and predicates of indexes."""

from __future__ import annotations

from typing import Any

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import IF_TRUE, facts_of
from aiosqlc.postgres.tree import Node

_NOT_COMPARED = frozenset({"varnullingrels", "opfuncid", "varreturningtype"})
_BOOLEAN_EQUAL = 91  # the OID of boolean = in pg_operator


def implied(condition: Node, varno: int, predicate: Node, facts: Facts) -> bool:
    """Return whether a condition implies one condition of a partial index's predicate."""
    if same(condition, predicate, varno) or _same_boolean(condition, predicate, varno):
        return True
    if predicate.kind == "NULLTEST" and predicate["nulltesttype"] == kinds.IS_NOT_NULL:
        arg = predicate["arg"]
        for fact in facts_of(condition, IF_TRUE, facts):
            if isinstance(fact, Node):
                if same(fact, arg, varno):
                    return True
            elif arg.kind == "VAR" and fact[:2] == (varno, arg["varattno"]):
                return True
    return False


def _same_boolean(condition: Node, predicate: Node, varno: int) -> bool:
    """Return whether `flag = true` (or `= false`) means the same as `flag` (or `NOT flag`)."""
    wanted = True
    if predicate.kind == "BOOLEXPR" and predicate["boolop"] == "not":
        predicate, wanted = predicate["args"][0], False
    if predicate.kind != "VAR" or condition.kind != "OPEXPR" or len(condition["args"]) != 2:
        return False
    left, right = condition["args"]
    return bool(
        condition["opno"] == _BOOLEAN_EQUAL
        and right.kind == "CONST"
        and not right["constisnull"]
        and bool(right["constvalue"].data[0]) is wanted
        and same(left, predicate, varno)
    )


def same(node: Any, stored: Any, varno: int) -> bool:
    """Return whether an expression of a query is the same as an expression of an index."""
    if isinstance(node, Node) and isinstance(stored, Node):
        if node.kind != stored.kind:
            return False
        if node.kind == "VAR":
            return bool(
                node["varno"] == varno
                and node["varlevelsup"] == 0
                and node["varattno"] == stored["varattno"]
            )
        if node.kind == "CONST":
            return _constant(node) == _constant(stored)
        return all(
            same(node[name], stored[name], varno)
            for name in node.names()
            if name not in _NOT_COMPARED and name in stored
        )
    if isinstance(node, list) and isinstance(stored, list):
        return len(node) == len(stored) and all(
            same(a, b, varno) for a, b in zip(node, stored, strict=True)
        )
    return bool(node == stored)


def _constant(node: Node) -> tuple[Any, ...]:
    value = None if node["constisnull"] else node["constvalue"].data
    return (node["consttype"], value)
