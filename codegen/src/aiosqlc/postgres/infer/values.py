"""Nullability rules for constants, parameters, conditional expressions, JSON and tests."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.postgres.catalog.facts import FIRST_USER_OID
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import (
    FALSE,
    IF_TRUE,
    NULL,
    TRUE,
    FactSet,
    Outcomes,
    facts_of,
    known,
)
from aiosqlc.postgres.infer.constants import outcomes_of
from aiosqlc.postgres.infer.members import infer_path
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Node

_UNTRUE = frozenset({FALSE, NULL})
_JSON_PARSE, _JSON_SCALAR, _JSON_SERIALIZE = 5, 6, 7  # JsonConstructorType
_JSON_OBJECT_AGG, _JSON_ARRAY_AGG = 3, 4
_JSON_EXISTS = 0  # JsonExprOp
_UNKNOWN = 5  # JsonBehaviorType
_MAX_DOMAIN_DEPTH = 32


def infer_const(_p: Prover, node: Node, _scope: Scope) -> Verdict:
    """Infer whether a constant (CONST) is NULL."""
    return (
        maybe("it is NULL")
        if node["constisnull"]
        else never("constant", "the expression is a constant")
    )


def infer_param(p: Prover, node: Node, _scope: Scope) -> Verdict:
    """Infer whether a parameter (PARAM) can be NULL."""
    number = node["paramid"]
    if node["paramkind"] == kinds.Param.EXTERN:
        if p.arguments is not None:
            return p.arguments.get(number) or maybe(f"argument {number} is not known")
        if not p.facts.holds(
            "parameter", "the parameter does not accept None", number not in p.nullable_params
        ):
            return maybe(f"parameter ${number} may be NULL")
        return never("parameter", f"parameter ${number} is required")
    if node["paramkind"] == kinds.Param.SUBLINK and p.sublink_columns:
        query, scope = p.sublink_columns[-1]
        return p.column(query, number, scope)
    return maybe("the value is computed in another part of the query")


def infer_always(_p: Prover, node: Node, _scope: Scope) -> Verdict:
    """Return "not null" for the kinds of nodes that are never NULL, such as ARRAY[…]."""
    return never("always", _ALWAYS[node.kind])


_ALWAYS = {
    "NULLTEST": "IS NULL is true or false",
    "BOOLEANTEST": "IS TRUE and similar tests are true or false",
    "ARRAYEXPR": "an array constructor returns an array",
    "ROWEXPR": "a row constructor returns a row",
    "GROUPINGFUNC": "grouping() is a number",
    "NEXTVALUEEXPR": "a sequence returns a number",
    "MERGESUPPORTFUNC": "merge_action() always returns a text",
}


def infer_sql_value(_p: Prover, node: Node, _scope: Scope) -> Verdict:
    """Infer whether a value such as CURRENT_USER (SQLVALUEFUNCTION) can be NULL."""
    if node["op"] == kinds.CURRENT_SCHEMA:
        return maybe("current_schema is NULL when the search path names no schema")
    return never("always", "the value is never NULL")


def infer_cast(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether a cast can be NULL, from the operand of the cast."""
    return p.infer(node["arg"], scope)


def infer_domain(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether a value of a domain can be NULL; a cast to a NOT NULL domain rejects NULL."""
    entry = p.facts.types.get(node["resulttype"])
    for _ in range(_MAX_DOMAIN_DEPTH):
        if entry is None:
            break
        if p.facts.holds("domain-cast", "the domain is NOT NULL", entry.not_null):
            return never("domain-cast", f"domain {entry.name} refuses NULL")
        entry = p.facts.types.get(entry.base)
    return p.infer(node["arg"], scope)


def infer_boolean(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether AND, OR or NOT (BOOLEXPR) can be NULL."""
    word = str(node["boolop"]).upper()
    return p.all_of(
        "boolean", p.all(node["args"], scope), f"{word} without NULL operands is not NULL"
    )


def infer_coalesce(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether COALESCE can be NULL."""
    return p.any_of("coalesce", p.all(node["args"], scope), "one argument of coalesce is not NULL")


def infer_minmax(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether GREATEST or LEAST (MINMAXEXPR) can be NULL."""
    return p.any_of(
        "greatest-least", p.all(node["args"], scope), "greatest and least ignore NULL arguments"
    )


def infer_nullif(_p: Prover, _node: Node, _scope: Scope) -> Verdict:
    """Infer whether NULLIF can be NULL."""
    return maybe("nullif is NULL when its arguments are equal")


def infer_distinct(p: Prover, node: Node, _scope: Scope) -> Verdict:
    """Infer whether IS DISTINCT FROM can be NULL, which depends on the `=` of the type."""
    own = node["opno"] in p.facts.equalities and p.facts.built_in(node["opfuncid"])
    total = own or p.facts.is_total(node["opfuncid"])
    if p.facts.holds("distinct-from", "the operator is a built-in equality operator", total):
        return never("distinct-from", "IS DISTINCT FROM is true or false")
    return maybe("the = operator of the type may return NULL")


def infer_row_compare(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether a comparison of rows can be NULL; its operators may be user-defined."""
    own = all(oid < FIRST_USER_OID for oid in (*node["opfamilies"], *node["opnos"]))
    if not p.facts.holds("row-comparison", "the operators are built-in comparison operators", own):
        return maybe("a user-defined comparison may return NULL")
    return p.all_of(
        "row-comparison",
        p.all(node["largs"] + node["rargs"], scope),
        "no compared field is NULL",
    )


def infer_is_json(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether IS JSON (JSONISPREDICATE) can be NULL."""
    return p.infer(node["expr"], scope)


def infer_json_value(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer the nullability of JSONVALUEEXPR nodes."""
    return p.infer(node["formatted_expr"] or node["raw_expr"], scope)


def infer_json(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether JSON_OBJECT and similar constructors (JSONCONSTRUCTOREXPR) can be NULL."""
    kind = node["type"]
    if kind in (_JSON_OBJECT_AGG, _JSON_ARRAY_AGG):
        return p.infer(node["func"], scope) if node["func"] else maybe("the group may be empty")
    if kind in (_JSON_PARSE, _JSON_SCALAR, _JSON_SERIALIZE):
        args = node.list_of("args") or ([node["func"]] if node["func"] else [])
        return p.all_of("json", p.all(args, scope), "the JSON of a non-NULL value is not NULL")
    return never("json", "a JSON constructor returns JSON")


def infer_json_expression(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether JSON_EXISTS, JSON_VALUE or JSON_QUERY (JSONEXPR) can be NULL."""
    if node["op"] != _JSON_EXISTS:
        return infer_path(p, node, scope) or maybe(
            "JSON_VALUE() and JSON_QUERY() are NULL without a match"
        )
    known = node["on_error"] is not None and node["on_error"]["btype"] != _UNKNOWN
    if not p.facts.holds("json-exists", "ON ERROR is not UNKNOWN", known):
        return maybe("JSON_EXISTS() is UNKNOWN on error")
    parts = p.all([node["formatted_expr"], node["path_spec"]], scope)
    return p.all_of("json-exists", parts, "JSON_EXISTS() of a document is true or false")


def infer_case(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether a CASE can be NULL; each result is inferred under its conditions."""
    failed: FactSet = frozenset()
    branches: list[Verdict] = []
    for when in node["args"]:
        condition = when["expr"]
        settled = outcomes_of(condition, p.facts, node["arg"])
        possible = settled or _outcomes_under(p, scope, failed, condition)
        if settled is not None:
            branches.append(never("constant-expression", "the condition compares constants"))
        if TRUE not in possible:
            continue
        holds = _with_subject(node, facts_of(condition, IF_TRUE, p.facts), p)
        branches.append(_under(p, scope, failed | holds, when["result"]))
        if branches[-1].null:
            return p.all_of("case", branches, "a branch of CASE may be NULL")
        if possible == {TRUE}:
            return p.all_of("case", branches, "no reachable branch of CASE is NULL")
        failed |= facts_of(condition, _UNTRUE, p.facts)
    branches.append(_under(p, scope, failed, node["defresult"]))  # NULL if there is no ELSE
    return p.all_of("case", branches, "no branch of CASE is NULL")


def _under(p: Prover, scope: Scope, assumed: FactSet, node: Node) -> Verdict:
    scope.assumed.append(assumed)
    try:
        with p.assuming(scope, assumed):
            return p.infer(node, scope)
    finally:
        scope.assumed.pop()


def _outcomes_under(p: Prover, scope: Scope, assumed: FactSet, node: Node) -> Outcomes:
    scope.assumed.append(assumed)
    try:
        with p.assuming(scope, assumed):
            return p.resolver.outcomes(p, node, scope)
    finally:
        scope.assumed.pop()


def branches_of(p: Prover, node: Node) -> Iterator[tuple[Node, FactSet]]:
    """Yield each result of a CASE, with the expressions that are not null if it is selected."""
    failed: FactSet = frozenset()
    for when in node["args"]:
        holds = _with_subject(node, facts_of(when["expr"], IF_TRUE, p.facts), p)
        yield when["result"], failed | holds
        if node["arg"] is None:
            failed |= facts_of(when["expr"], _UNTRUE, p.facts)
    if node["defresult"]:
        yield node["defresult"], failed


def _with_subject(case: Node, holds: FactSet, p: Prover) -> FactSet:
    """Replace the placeholder for x in the facts about a branch of `CASE x WHEN 1` by x."""
    compared = any(isinstance(f, Node) and f.kind == "CASETESTEXPR" for f in holds)
    rest = frozenset(f for f in holds if not isinstance(f, Node) or not f.has("CASETESTEXPR"))
    return rest | known(case["arg"], p.facts) if compared and case["arg"] is not None else rest
