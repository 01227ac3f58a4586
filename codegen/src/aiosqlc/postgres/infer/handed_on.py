"""Find the columns and parameters from which an expression takes its values unchanged."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import called
from aiosqlc.postgres.infer.outputs import collected_by, follow, output_targets
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Datum, Node

_IMPLICIT = 2  # CoercionForm: COERCE_IMPLICIT_CAST
_DIMENSIONS = slice(4, 8)  # in an array datum, after the length word
_ALL = slice(None)
_FIRST = slice(1)
# Built-ins whose result contains only values of these arguments.
_RESULT = {
    "unnest": _FIRST, "array_append": _ALL, "array_prepend": _ALL, "array_cat": _ALL,
    "array_remove": _FIRST, "array_replace": slice(0, 3, 2), "trim_array": _FIRST,
    "array_sort": _FIRST, "array_reverse": _FIRST, "array_shuffle": _FIRST,
    "array_sample": _FIRST,
}  # fmt: skip
# Built-ins, with the arguments whose values are of the same kind.
_ALIKE = {
    "array_append": _ALL, "array_prepend": _ALL, "array_cat": _ALL, "array_replace": _ALL,
    "array_remove": slice(2), "array_position": slice(2), "array_positions": slice(2),
    "arraycontains": _ALL, "arraycontained": _ALL, "arrayoverlap": _ALL, "array_eq": _ALL,
    "array_ne": _ALL,
}  # fmt: skip
_CALLS = frozenset({"FUNCEXPR", "OPEXPR"})

Attribute = tuple[int, int]
"""A relation's OID, and the number of a column in the relation."""


class HandedOn(Struct, frozen=True):
    """The columns and parameters that an expression's values come from.

    `others` is true if values come from anything else.
    """

    columns: frozenset[Attribute] = frozenset()
    params: tuple[int, ...] = ()
    others: bool = False

    @property
    def column(self) -> Attribute:
        """Return the only column in `columns`.

        Return (0, 0) if `columns` does not have exactly one element, or if `others` is true.
        """
        return next(iter(self.columns)) if len(self.columns) == 1 and not self.others else (0, 0)


_OTHERS = HandedOn(others=True)


def handed_on(node: Node | None, scope: Scope) -> HandedOn:
    """Return the columns and parameters from which an expression takes its values.

    A value from an explicit cast comes from neither, so `others` of the result is true.
    """
    node = _bare(node)
    if node is None:
        return HandedOn()
    if node.kind == "PARAM" and node["paramkind"] == kinds.Param.EXTERN:
        return HandedOn(params=(int(node["paramid"]),))
    if node.kind == "CONST":
        return HandedOn() if _is_empty(node, scope) else _OTHERS
    if node.kind == "VAR":
        return _of_variable(node, scope)
    if node.kind == "ARRAYEXPR":
        return together(node.list_of("elements"), scope)
    if node.kind == "COALESCEEXPR":
        return together(node.list_of("args"), scope)
    if node.kind == "NULLIFEXPR":
        return handed_on(node["args"][0], scope)
    if node.kind == "CASEEXPR":
        results = [when["result"] for when in node["args"]]
        return together([*results, *([node["defresult"]] if node["defresult"] else [])], scope)
    if node.kind == "SUBSCRIPTINGREF" and node["refassgnexpr"] is None:
        whole = scope.catalog.is_array(node["refcontainertype"])
        return handed_on(node["refexpr"], scope) if whole else _OTHERS
    name, collected = collected_by(node, scope)
    if name == "array_agg" and collected is not None:
        return handed_on(collected, scope)
    if node.kind == "SUBLINK" and node["subLinkType"] in (kinds.SubLink.ARRAY, kinds.SubLink.EXPR):
        return _of_query(node["subselect"], scope)
    if node.kind in _CALLS:
        places = _RESULT.get(scope.catalog.built_in(called(node)))
        return together(node.list_of("args")[places], scope) if places else _OTHERS
    return _OTHERS


def together(nodes: list[Node], scope: Scope) -> HandedOn:
    """Return the columns and parameters from which several expressions take their values."""
    found = [handed_on(node, scope) for node in nodes]
    return HandedOn(
        frozenset().union(*(one.columns for one in found)),
        tuple(number for one in found for number in one.params),
        any(one.others for one in found),
    )


def operands_alike(node: Node, scope: Scope) -> HandedOn:
    """Return the columns and parameters whose arrays or elements an array function combines."""
    if node.kind == "ARRAYEXPR":
        return handed_on(node, scope)
    if node.kind not in _CALLS:
        return _OTHERS
    places = _ALIKE.get(scope.catalog.built_in(called(node)))
    return together(node.list_of("args")[places], scope) if places else _OTHERS


def _bare(node: Node | None) -> Node | None:
    """Remove the implicit casts, and similar nodes, around an argument."""
    while node is not None:
        implicit = node.kind == "RELABELTYPE" and node["relabelformat"] == _IMPLICIT
        if not (implicit or node.kind in {"COLLATEEXPR", "NAMEDARGEXPR"}):
            break
        node = node["arg"]
    return node


def _is_empty(node: Node, scope: Scope) -> bool:
    """Return whether a constant is NULL or an array without elements."""
    if node["constisnull"]:
        return True
    value = node["constvalue"]
    array = isinstance(value, Datum) and scope.catalog.is_array(node["consttype"])
    return array and not any(value.data[_DIMENSIONS])


def _of_variable(node: Node, scope: Scope) -> HandedOn:
    owner, attribute = scope.up(node["varlevelsup"]), int(node["varattno"])
    entry = owner.entry(node["varno"])
    kind = entry["rtekind"]
    if attribute <= 0:
        return _OTHERS
    if kind == kinds.Rte.RELATION:
        return HandedOn(frozenset({(int(entry["relid"]), attribute)}))
    if kind == kinds.Rte.JOIN:
        return handed_on(entry["joinaliasvars"][attribute - 1], owner)
    if kind == kinds.Rte.FUNCTION:
        return _of_functions(entry, attribute, owner)
    step = follow(node, scope)
    return handed_on(*step) if step else _OTHERS


def _of_functions(entry: Node, attribute: int, scope: Scope) -> HandedOn:
    """Return the sources of the values in a column of a function call in FROM."""
    for function in entry["functions"]:
        if attribute <= function["funccolcount"]:
            return handed_on(function["funcexpr"], scope) if attribute == 1 else _OTHERS
        attribute -= function["funccolcount"]
    return _OTHERS


def _of_query(query: Node, scope: Scope) -> HandedOn:
    targets = output_targets(query)
    if query["setOperations"] is not None or not targets:
        return _OTHERS
    return handed_on(targets[0]["expr"], scope.inner(query))
