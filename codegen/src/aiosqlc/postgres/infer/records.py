"""Infer the fields of records without a declared type: `ROW(a, b)`, and arrays of records."""

from __future__ import annotations

from dataclasses import dataclass

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.outputs import expression_type, follow, output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node

_COLLECTS = frozenset({"array_agg"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record: its type, whether it is not null, and its expression."""

    type: int
    certain: bool
    node: Node
    scope: Scope


def fields_of(p: Prover, node: Node, scope: Scope) -> list[Field]:
    """Return the fields of a record or of the records in an array, or nothing if unknown."""
    found = _row_in(p, node, scope)
    if found is None:
        return []
    row, inner = found
    return [
        Field(expression_type(field), not p.judge(field, inner).null, field, inner)
        for field in row.list_of("args")
    ]


def whole_row(p: Prover, node: Node, scope: Scope) -> int:
    """Return the table whose stored rows are an expression's values or elements, or 0 for none.

    The row must be one that no outer join can omit.
    """
    found = _value_in(p, node, scope)
    if found is None:
        return 0
    value, inner = found
    if value.kind != "VAR" or value["varattno"] != 0:
        return 0
    owner = inner.up(value["varlevelsup"])
    entry = owner.entry(value["varno"])
    relation = p.facts.relations.get(entry["relid"]) if _is_relation(entry) else None
    reads = owner.command == kinds.Command.SELECT and not owner.query["groupingSets"]
    if relation is None or relation.kind not in _STORED or value["varnullingrels"] or not reads:
        return 0
    return relation.oid


_STORED = frozenset({"r", "p"})  # the constraints of a foreign table are not enforced


def _is_relation(entry: Node) -> bool:
    return bool(entry["rtekind"] == kinds.Rte.RELATION)


def _row_in(p: Prover, node: Node, scope: Scope) -> tuple[Node, Scope] | None:
    found = _value_in(p, node, scope)
    return found if found is not None and found[0].kind == "ROWEXPR" else None


def _value_in(p: Prover, node: Node, scope: Scope) -> tuple[Node, Scope] | None:
    """Return the value that `array_agg` and the like collect, or `node` itself, with its scope."""
    while True:
        if node.kind == "SUBLINK" and node["subLinkType"] == kinds.SubLink.ARRAY:
            query = node["subselect"]
            if query["setOperations"] is not None:
                return None
            scope = scope.inner(query)
            node = output_targets(query)[0]["expr"]
        elif node.kind == "AGGREF" and p.facts.built_in(node["aggfnoid"]) in _COLLECTS:
            if not node["args"] or node["agglevelsup"]:
                return None
            node = node["args"][0]["expr"]
        elif node.kind == "ARRAYEXPR" and len(node.list_of("elements")) == 1:
            node = node["elements"][0]
        elif node.kind == "VAR" and node["varattno"] > 0:
            target = follow(node, scope)
            if target is None or scope.alive(node["varno"], node["varnullingrels"] or ()):
                return None
            node, scope = target
        else:
            return node, scope
