"""Infer the fields of records without a declared type: `ROW(a, b)`, and arrays of records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.elements import dimensions_of
from aiosqlc.postgres.infer.outputs import expression_type, follow, output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node

_COLLECTS = frozenset({"array_agg"})


class Field(Struct, frozen=True):
    """A field of a record: its type, whether it is not null, and its expression."""

    type: int
    certain: bool
    node: Node
    scope: Scope


def fields_of(p: Prover, node: Node, scope: Scope) -> list[Field]:
    """Return the fields of a record, or of the records in an array; [] if they are unknown."""
    found = _value_in(p, node, scope)
    if found is None:
        return []
    if found.node.kind == "VAR" and found.node["varattno"] == 0:
        return _of_sub_select(p, found.node, found.scope)
    if found.node.kind != "ROWEXPR":
        return []
    inner = found.scope
    with _collected(p, found):
        return [
            Field(expression_type(field), not p.infer(field, inner).null, field, inner)
            for field in found.node.list_of("args")
        ]


def _of_sub_select(p: Prover, node: Node, scope: Scope) -> list[Field]:
    """Return the fields of the rows of a sub-select or a WITH query; [] if they are unknown."""
    owner = scope.up(node["varlevelsup"])
    entry = owner.entry(node["varno"])
    if entry["rtekind"] == kinds.Rte.SUBQUERY:
        query, parent = entry["subquery"], owner
    elif entry["rtekind"] == kinds.Rte.CTE:
        parent = owner.up(entry["ctelevelsup"])
        cte = parent.cte(entry["ctename"])
        query = cte["ctequery"]
        if cte["cterecursive"] or query["commandType"] != kinds.Command.SELECT:
            return []
    else:
        return []
    if query["setOperations"] is not None:
        return []
    inner = parent.inner(query)
    targets = [target["expr"] for target in output_targets(query)]
    return [
        Field(expression_type(target), not p.infer(target, inner).null, target, inner)
        for target in targets
    ]


def whole_row(p: Prover, node: Node, scope: Scope) -> int:
    """Return the OID of the table whose whole rows an expression returns, directly or in an array.

    Return 0 if there is no such table, or if an outer join may omit the row.
    """
    found = _value_in(p, node, scope)
    if found is None:
        return 0
    value = found.node
    if value.kind != "VAR" or value["varattno"] != 0:
        return 0
    owner = found.scope.up(value["varlevelsup"])
    entry = owner.entry(value["varno"])
    relation = p.facts.relations.get(entry["relid"]) if _is_relation(entry) else None
    reads = owner.command == kinds.Command.SELECT and not owner.query["groupingSets"]
    if relation is None or relation.kind not in _STORED or not reads:
        return 0
    with _collected(p, found):
        nulled = owner.alive(value["varno"], value["varnullingrels"] or ())
    return 0 if nulled else relation.oid


_STORED = frozenset({"r", "p"})  # the constraints of a foreign table are not enforced


def _is_relation(entry: Node) -> bool:
    return bool(entry["rtekind"] == kinds.Rte.RELATION)


class _Value(Struct, frozen=True):
    """A value that an aggregate collects in an array, and the FILTER of the aggregate, if any."""

    node: Node
    scope: Scope
    condition: Node | None = None


@contextmanager
def _collected(p: Prover, value: _Value) -> Iterator[None]:
    """Within the block, infer only for the rows that pass the FILTER of the value's aggregate."""
    if value.condition is None:
        yield
        return
    scope = value.scope
    with scope.rows_of(value.condition), p.assuming(scope, "each row", value.condition):
        yield


def _value_in(p: Prover, node: Node, scope: Scope) -> _Value | None:
    """Return the value that `array_agg` or a similar expression collects, or else `node` itself."""
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
            condition, node = node["aggfilter"], node["args"][0]["expr"]
            if condition is not None:
                return _Value(node, scope, condition)
        elif node.kind == "COALESCEEXPR":
            several = [arg for arg in node["args"] if not _is_empty(p, arg)]
            if len(several) != 1:
                return None
            node = several[0]
        elif node.kind == "ARRAYEXPR" and len(node.list_of("elements")) == 1:
            node = node["elements"][0]
        elif node.kind == "VAR" and node["varattno"] > 0:
            target = follow(node, scope)
            # An outer join replaces an array as a whole, and no element of the array.
            whole = p.facts.is_array(node["vartype"])
            omitted = not whole and scope.alive(node["varno"], node["varnullingrels"] or ())
            if target is None or omitted:
                return None
            node, scope = target
        else:
            return _Value(node, scope)


def _is_empty(p: Prover, node: Node) -> bool:
    """Return whether a node is the constant `'{}'`, an array without elements."""
    constant = node.kind == "CONST" and not node["constisnull"]
    return constant and p.facts.is_array(node["consttype"]) and dimensions_of(p, node) == 0
