"""Prove that an array contains no NULL elements."""

from __future__ import annotations

from aiosqlc.postgres.catalog.elements import elements_checked
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import called
from aiosqlc.postgres.infer.outputs import (
    collected_by,
    column_type,
    expression_type,
    follow,
    output_targets,
    parts_of,
)
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Datum, Node

_DIMENSIONS = slice(4, 8)  # in an array datum, after the length word
_DATA_OFFSET = slice(8, 12)  # in an array datum, after the length word and the dimensions
_ARRAY_AGGS = frozenset({"array_agg"})
_CALLS = frozenset({"FUNCEXPR", "OPEXPR"})
# Functions that concatenate arrays and elements, with the positions of the array arguments.
_JOINING = {
    "array_append": (True, False),
    "array_prepend": (False, True),
    "array_cat": (True, True),
}
# Built-ins whose arrays never contain NULL.
_FULL_ARRAYS = frozenset({
    "regexp_split_to_array", "parse_ident", "string_to_array", "tsvector_to_array",
    "current_schemas",
})  # fmt: skip


def array_elements(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether an array expression may contain NULL elements."""
    if node.kind == "ARRAYEXPR":
        return _constructor(p, node, scope)
    if node.kind == "CONST":
        return _constant(p, node)
    if node.kind == "PARAM" and node["paramkind"] == kinds.Param.EXTERN and p.arguments is None:
        full = node["paramid"] not in p.loose_params
        if not p.facts.holds(
            "list-parameter", "the parameter does not accept None as an element", full
        ):
            return maybe("the list parameter accepts None as an element")
        return never("list-parameter", "a list parameter contains no NULL")
    if node.kind in {"RELABELTYPE", "COLLATEEXPR", "COERCETODOMAIN"}:
        return array_elements(p, node["arg"], scope)
    if node.kind == "ARRAYCOERCEEXPR" and _keeps_values(p, node["elemexpr"]):
        inner = array_elements(p, node["arg"], scope)
        return inner if inner.null else never("array-cast", "the cast makes no element NULL", inner)
    if node.kind == "SUBLINK" and node["subLinkType"] == kinds.SubLink.ARRAY:
        return _subquery(p, node["subselect"], scope)
    if node.kind == "SUBLINK" and node["subLinkType"] == kinds.SubLink.EXPR:
        return _inner_arrays(p, node["subselect"], scope)
    if node.kind in {"AGGREF", "WINDOWFUNC"}:
        return _aggregate(p, node, scope)
    if node.kind == "COALESCEEXPR":
        return p.all_of(
            "array-alternatives",
            [array_elements(p, a, scope) for a in node["args"]],
            "no argument contains NULL",
        )
    if node.kind in _CALLS and p.facts.built_in(called(node)) in _JOINING:
        return _joined(p, node, scope)
    if node.kind == "FUNCEXPR":
        return _function(p, node)
    if node.kind == "VAR":
        return _column(p, node, scope)
    return maybe("the array may contain NULL")


def _constructor(p: Prover, node: Node, scope: Scope) -> Verdict:
    if node["multidims"]:
        return p.all_of(
            "array-constructor",
            [array_elements(p, e, scope) for e in node.list_of("elements")],
            "no inner array contains NULL",
        )
    return p.all_of(
        "array-constructor", p.all(node.list_of("elements"), scope), "every element is not NULL"
    )


def dimensions_of(p: Prover, node: Node) -> int:
    """Return the number of an array's dimensions, or 0 if it is empty or the number is unknown."""
    if node.kind == "ARRAYEXPR":
        return int(bool(node["elements"]) and not node["multidims"])
    if node.kind == "CONST" and isinstance(node["constvalue"], Datum):
        return int.from_bytes(node["constvalue"].data[_DIMENSIONS], "little")
    return int(collects_values(p, node))


def collects_values(p: Prover, node: Node) -> bool:
    """Return whether a node is an array_agg() whose arguments are not arrays."""
    if node.kind != "AGGREF" or p.facts.built_in(node["aggfnoid"]) not in _ARRAY_AGGS:
        return False
    collected = expression_type(node["args"][0]["expr"]) if node["args"] else 0
    return bool(collected) and not p.facts.is_array(collected)


def _keeps_values(p: Prover, node: Node) -> bool:
    """Return whether the cast of an array never turns an element into NULL.

    A cast from jsonb turns the JSON value `null` into NULL.
    """
    if node.kind == "CASETESTEXPR":
        return True
    if node.kind in {"RELABELTYPE", "COERCEVIAIO", "COERCETODOMAIN"}:
        return _keeps_values(p, node["arg"])
    if node.kind == "FUNCEXPR" and p.facts.holds(
        "array-cast", "the cast never returns NULL", p.facts.is_total(node["funcid"])
    ):
        return _keeps_values(p, node["args"][0])
    return False


def _constant(p: Prover, node: Node) -> Verdict:
    if node["constisnull"]:
        return never("array-constant", "the array itself is NULL")
    value = node["constvalue"]
    if isinstance(value, Datum) and len(value.data) >= _DATA_OFFSET.stop:
        # A null bitmap exists if and only if the data offset is not zero.
        return (
            maybe("the array contains NULL")
            if not p.facts.holds(
                "array-constant", "no null bitmap", not any(value.data[_DATA_OFFSET])
            )
            else never("array-constant", "the constant array contains no NULL")
        )
    return maybe("the array may contain NULL")


def _aggregate(p: Prover, node: Node, scope: Scope) -> Verdict:
    name, collected = collected_by(node, scope)
    if name in _ARRAY_AGGS and collected is not None:
        inside = expression_type(collected)
        flat = bool(inside) and not p.facts.is_array(inside)
        if not p.facts.holds("array-collected", "the aggregated value is not an array", flat):
            return p.all_of(
                "array-collected",
                [array_elements(p, collected, scope)],
                "array_agg() collects arrays that contain no NULL",
            )
        condition = node["aggfilter"]
        if condition is None and node.kind == "AGGREF":
            found = p.infer(collected, scope)
        else:
            with scope.rows_of(condition), p.assuming(scope, "each row", condition):
                found = p.infer(collected, scope)
        return p.all_of("array-collected", [found], "array_agg() of values")
    return maybe("the array may contain NULL")


def _subquery(p: Prover, query: Node, scope: Scope) -> Verdict:
    """Infer whether the array ARRAY(SELECT …) may contain NULL.

    If the SELECT returns arrays, the result is an array with one more dimension.
    """
    inside = column_type(query, 1)
    flat = bool(inside) and not p.facts.is_array(inside)
    if p.facts.holds("array-subquery", "the aggregated value is not an array", flat):
        return p.column(query, 1, scope)
    return _inner_arrays(p, query, scope)


def _inner_arrays(p: Prover, query: Node, scope: Scope) -> Verdict:
    if query["setOperations"] is not None:
        return maybe("the inner arrays may contain NULL")
    return array_elements(p, output_targets(query)[0]["expr"], scope.inner(query))


def _output(p: Prover, query: Node, attribute: int, parent: Scope) -> Verdict:
    """Infer whether the arrays in a result column may contain NULL, in any operand of a UNION."""
    scope = parent.inner(query)
    parts = parts_of(query)
    if not parts:
        targets = output_targets(query)
        if attribute > len(targets):
            return maybe("the array may contain NULL")
        return array_elements(p, targets[attribute - 1]["expr"], scope)
    kind = column_type(query, attribute)
    found = []
    for part in parts:
        inner = scope.entry(part)["subquery"]
        alike = column_type(inner, attribute) == kind
        if not p.facts.holds(
            "array-set-operation", "the elements of the arrays are not cast", alike
        ):
            return maybe("an operand of the set operation is cast")
        found.append(_output(p, inner, attribute, scope))
    return p.all_of(
        "array-set-operation", found, "no operand of the set operation returns an array with NULL"
    )


def _recursive(p: Prover, owner: Scope, name: str, query: Node, attribute: int) -> Verdict:
    """Infer whether the arrays of a recursive query may contain NULL.

    The first assumption is that they contain none. It is corrected until it agrees with the result.
    """
    text = f"the recursive query {name}"
    if name in owner.element_recursion:
        null = owner.element_recursion[name][attribute - 1]
        return maybe(text) if null else never("array-recursion", text)
    count = len(output_targets(query))
    state = [not p.facts.is_array(column_type(query, at)) for at in range(1, count + 1)]
    try:
        while True:
            owner.element_recursion[name] = state
            with p.assuming(owner, "elements", name, tuple(state)):
                after = [
                    old or _output(p, query, at, owner).null for at, old in enumerate(state, 1)
                ]
            if p.facts.holds(
                "array-recursion",
                "the recursive term returns no NULL if its input contains no NULL",
                after == state,
            ):
                break
            state = after
    finally:
        owner.element_recursion.pop(name, None)
    if state[attribute - 1]:
        return maybe("the recursive query may add NULL to the array")
    return never("array-recursion", text)


def _function(p: Prover, node: Node) -> Verdict:
    name = p.facts.built_in(node["funcid"])
    if name in _FULL_ARRAYS and len(node.list_of("args")) <= 3:
        # The third argument of string_to_array is the text that becomes NULL.
        null_text = name == "string_to_array" and len(node["args"]) == 3
        if not p.facts.holds(
            "array-function", "string_to_array() gets no null string", not null_text
        ):
            return maybe("string_to_array() converts the null string to NULL")
        return never("array-function", f"{name}() returns arrays without NULL")
    return maybe("the array may contain NULL")


def _joined(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether concatenated arrays and elements, such as `path || id`, may contain NULL."""
    arrays = _JOINING[p.facts.built_in(called(node))]
    parts = [
        array_elements(p, part, scope) if is_array else p.infer(part, scope)
        for part, is_array in zip(node.list_of("args"), arrays, strict=True)
    ]
    return p.all_of("array-joined", parts, "the concatenated arrays and elements contain no NULL")


def _column(p: Prover, node: Node, scope: Scope) -> Verdict:
    target = follow(node, scope)
    if target is not None:
        expression, inner = target
        return array_elements(p, expression, inner)
    owner = scope.up(node["varlevelsup"])
    entry = owner.entry(node["varno"])
    if entry["rtekind"] == kinds.Rte.CTE and node["varattno"] > 0:
        parent = owner.up(entry["ctelevelsup"])
        cte = parent.cte(entry["ctename"])
        if cte["cterecursive"]:
            return _recursive(p, parent, str(cte["ctename"]), cte["ctequery"], node["varattno"])
        return _output(p, cte["ctequery"], node["varattno"], parent)
    if entry["rtekind"] == kinds.Rte.SUBQUERY and node["varattno"] > 0:
        return _output(p, entry["subquery"], node["varattno"], owner)
    if entry["rtekind"] != kinds.Rte.RELATION or node["varattno"] <= 0:
        return maybe("the array may contain NULL")
    checked = elements_checked(p.facts, entry["relid"], node["varattno"])
    if p.facts.holds("array-check", "a validated CHECK constraint excludes NULL", checked):
        return never("array-check", "a CHECK constraint excludes NULL from the array")
    return maybe("no constraint excludes NULL from the array")
