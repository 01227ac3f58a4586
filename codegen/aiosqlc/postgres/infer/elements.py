"""Whether an array can hold NULL elements."""

from __future__ import annotations

from aiosqlc.postgres.catalog.elements import elements_checked
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.outputs import column_type, expression_type, follow, output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, all_of, maybe, never
from aiosqlc.postgres.tree import Datum, Node

_DATA_OFFSET = slice(8, 12)  # of an array datum: after the length word and the dimensions
_ARRAY_AGGS = frozenset({"array_agg"})
# Built-ins whose arrays never hold NULL.
_FULL_ARRAYS = frozenset({
    "regexp_split_to_array", "parse_ident", "string_to_array", "tsvector_to_array",
    "current_schemas",
})  # fmt: skip


def array_elements(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Judge the elements of an array expression."""
    if node.kind == "ARRAYEXPR":
        if node["multidims"]:
            return all_of(
                [array_elements(p, e, scope) for e in node.items("elements")],
                "every inner array holds values",
            )
        return all_of(p.all(node.items("elements"), scope), "every element is a value")
    if node.kind == "CONST":
        return _constant(node)
    if node.kind == "PARAM" and node["paramkind"] == kinds.Param.EXTERN and p.arguments is None:
        return never("a list parameter holds values")
    if node.kind in {"RELABELTYPE", "COLLATEEXPR", "COERCETODOMAIN"}:
        return array_elements(p, node["arg"], scope)
    if node.kind == "ARRAYCOERCEEXPR" and _keeps_values(p, node["elemexpr"]):
        return array_elements(p, node["arg"], scope)
    if node.kind == "SUBLINK" and node["subLinkType"] == kinds.SubLink.ARRAY:
        return _subquery(p, node["subselect"], scope)
    if node.kind == "AGGREF":
        return _aggregate(p, node, scope)
    if node.kind == "COALESCEEXPR":
        return all_of(
            [array_elements(p, a, scope) for a in node["args"]], "every alternative holds values"
        )
    if node.kind == "FUNCEXPR":
        return _function(p, node)
    if node.kind == "VAR":
        return _column(p, node, scope)
    return maybe("the array may hold NULL")


def _keeps_values(p: Prover, node: Node) -> bool:
    """Whether an element's cast makes a value of a value (jsonb's casts make NULL of JSON null)."""
    if node.kind == "CASETESTEXPR":
        return True
    if node.kind in {"RELABELTYPE", "COERCEVIAIO", "COERCETODOMAIN"}:
        return _keeps_values(p, node["arg"])
    if node.kind == "FUNCEXPR" and p.facts.is_total(node["funcid"]):
        return _keeps_values(p, node["args"][0])
    return False


def _constant(node: Node) -> Verdict:
    if node["constisnull"]:
        return never("there is no array")
    value = node["constvalue"]
    if isinstance(value, Datum) and len(value.data) >= _DATA_OFFSET.stop:
        # A null bitmap is there iff the offset to the data is not zero.
        return (
            maybe("the array holds NULL")
            if any(value.data[_DATA_OFFSET])
            else never("the constant array holds no NULL")
        )
    return maybe("the array may hold NULL")


def _aggregate(p: Prover, node: Node, scope: Scope) -> Verdict:
    if p.facts.built_in(node["aggfnoid"]) in _ARRAY_AGGS and node["args"]:
        if node["agglevelsup"]:
            return maybe("the aggregate belongs to an outer query")
        collected = node["args"][0]["expr"]
        inside = expression_type(collected)
        if not inside or p.facts.is_array(inside):
            return all_of([array_elements(p, collected, scope)], "array_agg() of full arrays")
        return all_of([p.judge(collected, scope)], "array_agg() of values")
    return maybe("the array may hold NULL")


def _subquery(p: Prover, query: Node, scope: Scope) -> Verdict:
    """Judge the elements of ARRAY(SELECT …): of arrays it makes one array of more dimensions."""
    from aiosqlc.postgres.infer.relations import column_verdict

    inside = column_type(query, 1)
    if inside and not p.facts.is_array(inside):
        return column_verdict(p, query, 1, scope)
    if query["setOperations"] is not None:
        return maybe("the inner arrays may hold NULL")
    return array_elements(p, output_targets(query)[0]["expr"], scope.inner(query))


def _function(p: Prover, node: Node) -> Verdict:
    name = p.facts.built_in(node["funcid"])
    if name in _FULL_ARRAYS and len(node.items("args")) <= 3:
        # string_to_array's third argument is the text that becomes NULL.
        if name == "string_to_array" and len(node["args"]) == 3:
            return maybe("string_to_array() makes NULL of the null string")
        return never(f"{name}() makes arrays without NULL")
    return maybe("the array may hold NULL")


def _column(p: Prover, node: Node, scope: Scope) -> Verdict:
    target = follow(node, scope)
    if target is not None:
        expression, inner = target
        return array_elements(p, expression, inner)
    owner = scope.up(node["varlevelsup"])
    entry = owner.entry(node["varno"])
    if entry["rtekind"] != kinds.Rte.RELATION or node["varattno"] <= 0:
        return maybe("the array may hold NULL")
    if elements_checked(p.facts, entry["relid"], node["varattno"]):
        return never("a CHECK constraint keeps NULL out of the array")
    return maybe("nothing keeps NULL out of the array")
