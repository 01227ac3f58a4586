"""Infer how many dimensions an array has from its expression, because the type does not say."""

from __future__ import annotations

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.outputs import (
    collected_by,
    column_type,
    expression_type,
    follow,
    output_targets,
)
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Datum, Node

_NDIM = slice(4, 8)  # in an array datum, after the length word
_FIRST_LENGTH = slice(16, 20)  # after the dimensions, the data offset and the element type
_MOST = 6  # the server's MAXDIM
_PASSED_ON = frozenset(
    {"RELABELTYPE", "ARRAYCOERCEEXPR", "COLLATEEXPR", "COERCETODOMAIN", "NAMEDARGEXPR"}
)
# Aggregates that return one of their arrays.
_PICKS = frozenset({"min", "max", "any_value", "mode"})
# Built-ins whose result has the dimensions of their deepest array.
_AS_DEEP = frozenset({
    "array_cat", "array_append", "array_prepend", "array_remove", "array_replace", "trim_array",
    "array_sort", "array_reverse", "array_shuffle", "array_sample", "array_larger",
    "array_smaller",
})  # fmt: skip


def dimensions(node: Node, scope: Scope) -> int:
    """Return the number of dimensions of an array expression, or 1 if unknown.

    For a column, the result is the declared number, which the server does not enforce.
    """
    return min(_of(node, scope), _MOST)


def _of(node: Node, scope: Scope) -> int:
    if node.kind == "VAR":
        return _column(node, scope)
    if node.kind == "ARRAYEXPR":
        inner = node.list_of("elements") if node["multidims"] else []
        return 1 + max((_of(element, scope) for element in inner), default=0)
    if node.kind in {"AGGREF", "WINDOWFUNC"}:
        return _collected(node, scope)
    if node.kind == "SUBLINK":
        query = node["subselect"]
        array: bool = node["subLinkType"] == kinds.SubLink.ARRAY
        if array and not scope.catalog.is_array(column_type(query, 1)):
            return 1
        return int(array) + _target(query, scope)
    if node.kind in _PASSED_ON:
        return _of(node["arg"], scope)
    if node.kind == "CONST":
        return _constant(node)
    if node.kind in {"COALESCEEXPR", "MINMAXEXPR"}:
        return _deepest(node.list_of("args"), scope)
    if node.kind == "CASEEXPR":
        results = [when["result"] for when in node["args"]]
        return _deepest([*results, *([node["defresult"]] if node["defresult"] else [])], scope)
    if node.kind == "SUBSCRIPTINGREF":
        return _of(node["refexpr"], scope)
    if node.kind in {"FUNCEXPR", "OPEXPR"}:
        function = int(node["funcid"] if node.kind == "FUNCEXPR" else node["opfuncid"])
        if scope.catalog.built_in(function) in _AS_DEEP:
            return _deepest(node.list_of("args"), scope)
        if scope.catalog.built_in(function) == "array_fill":
            return _filled(node.list_of("args")[1])
    return 1


def _deepest(nodes: list[Node], scope: Scope) -> int:
    arrays = [n for n in nodes if scope.catalog.is_array(expression_type(n))]
    return max((_of(node, scope) for node in arrays), default=1)


def _target(query: Node, scope: Scope) -> int:
    if query["setOperations"] is not None:
        return 1
    return _of(output_targets(query)[0]["expr"], scope.inner(query))


def _collected(node: Node, scope: Scope) -> int:
    name, collected = collected_by(node, scope)
    if name not in {"array_agg", *_PICKS} or collected is None:
        return 1
    if name in _PICKS:
        return _of(collected, scope)
    nested = scope.catalog.is_array(expression_type(collected))
    return 1 + (_of(collected, scope) if nested else 0)


def _filled(sizes: Node) -> int:
    """Return the number of dimensions that array_fill() creates; `sizes` is its second argument."""
    if sizes.kind == "ARRAYEXPR" and not sizes["multidims"]:
        return max(len(sizes.list_of("elements")), 1)
    value = None if sizes.kind != "CONST" or sizes["constisnull"] else sizes["constvalue"]
    if isinstance(value, Datum) and len(value.data) >= _FIRST_LENGTH.stop:
        return max(int.from_bytes(value.data[_FIRST_LENGTH], "little"), 1)
    return 1


def _constant(node: Node) -> int:
    value = None if node["constisnull"] else node["constvalue"]
    if isinstance(value, Datum) and len(value.data) >= _NDIM.stop:
        return max(int.from_bytes(value.data[_NDIM], "little"), 1)
    return 1


def _column(node: Node, scope: Scope) -> int:
    target = follow(node, scope)
    if target is not None:
        return _of(*target)
    owner = scope.up(node["varlevelsup"])
    entry = owner.entry(node["varno"])
    if entry["rtekind"] == kinds.Rte.VALUES:
        depths = {_of(row[node["varattno"] - 1], owner) for row in entry["values_lists"]}
        return depths.pop() if len(depths) == 1 else 1
    column = scope.catalog.attributes.get((entry.get("relid") or 0, node["varattno"]))
    return max(column.dims, 1) if column is not None else 1
