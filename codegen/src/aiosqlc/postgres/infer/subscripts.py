"""Nullability rules for array elements: `(array_agg(x))[1]`."""

from __future__ import annotations

from aiosqlc.postgres.infer.constants import constant_int
from aiosqlc.postgres.infer.elements import array_elements, collects_values
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe
from aiosqlc.postgres.tree import Node


def infer_subscript(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether an array element can be NULL, if the array is known to have this element."""
    array, places = node["refexpr"], node.list_of("refupperindexpr")
    plain = node["refassgnexpr"] is None and not node.list_of("reflowerindexpr")
    if not (plain and len(places) == 1 and p.facts.is_array(node["refcontainertype"])):
        return maybe("this element may be missing from the array")
    place = constant_int(places[0]) or 0
    if array.kind == "ARRAYEXPR" and not array["multidims"]:
        elements = array.list_of("elements")
        inside = 0 < place <= len(elements)
        if not p.facts.holds("subscript", "the index is within the array", inside):
            return maybe("the array does not have this element")
        part = p.infer(elements[place - 1], scope) if inside else p.infer(array, scope)
        return p.all_of("subscript", [part], "the array has this element")
    if not collects_values(p, array) or place != 1:
        return maybe("this element may be missing from the array")
    parts = [p.infer(array, scope), array_elements(p, array, scope)]
    return p.all_of("subscript", parts, "array_agg() over at least one row has a first element")
