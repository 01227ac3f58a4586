"""Rules for constants, parameters, conditionals and tests."""

from __future__ import annotations

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
from aiosqlc.postgres.infer.prover import Prover, rule
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, all_of, any_of, maybe, never
from aiosqlc.postgres.tree import Node

_UNTRUE = frozenset({FALSE, NULL})
_XML_ELEMENT = 1  # XmlExprOp
_JSON_PARSE, _JSON_SCALAR, _JSON_SERIALIZE = 5, 6, 7  # JsonConstructorType
_JSON_OBJECT_AGG, _JSON_ARRAY_AGG = 3, 4
_MAX_DOMAIN_DEPTH = 32


@rule("CONST")
def _const(_p: Prover, node: Node, _scope: Scope) -> Verdict:
    return maybe("it is NULL") if node["constisnull"] else never("it is a constant")


@rule("PARAM")
def _param(p: Prover, node: Node, _scope: Scope) -> Verdict:
    number = node["paramid"]
    if node["paramkind"] == kinds.Param.EXTERN:
        if p.arguments is not None:
            return p.arguments.get(number) or maybe(f"argument {number} is not known")
        if number in p.nullable_params:
            return maybe(f"parameter ${number} may be NULL")
        return never(f"parameter ${number} is required")
    if node["paramkind"] == kinds.Param.SUBLINK and p.sublink_columns:
        from aiosqlc.postgres.infer.relations import column_verdict

        query, scope = p.sublink_columns[-1]
        return column_verdict(p, query, number, scope)
    return maybe("it is computed elsewhere")


@rule(
    "NULLTEST", "BOOLEANTEST", "ARRAYEXPR", "ROWEXPR", "GROUPINGFUNC",
    "NEXTVALUEEXPR", "MERGESUPPORTFUNC",
)  # fmt: skip
def _always(_p: Prover, node: Node, _scope: Scope) -> Verdict:
    return never(_ALWAYS[node.kind])


_ALWAYS = {
    "NULLTEST": "IS NULL is true or false",
    "BOOLEANTEST": "IS TRUE and its kin are true or false",
    "ARRAYEXPR": "an array constructor makes an array",
    "ROWEXPR": "a row constructor makes a row",
    "GROUPINGFUNC": "grouping() is a number",
    "NEXTVALUEEXPR": "a sequence gives a value",
    "MERGESUPPORTFUNC": "merge_action() is a word",
}


@rule("SQLVALUEFUNCTION")
def _sql_value(_p: Prover, node: Node, _scope: Scope) -> Verdict:
    if node["op"] == kinds.CURRENT_SCHEMA:
        return maybe("current_schema is NULL when the search path names no schema")
    return never("it always has a value")


@rule(
    "RELABELTYPE",
    "COERCEVIAIO",
    "COLLATEEXPR",
    "ARRAYCOERCEEXPR",
    "CONVERTROWTYPEEXPR",
    "NAMEDARGEXPR",
)
def _cast(p: Prover, node: Node, scope: Scope) -> Verdict:
    return p.judge(node["arg"], scope)


@rule("COERCETODOMAIN")
def _domain(p: Prover, node: Node, scope: Scope) -> Verdict:
    """A NOT NULL domain checks what is cast to it (and nothing else: its columns can hold NULL)."""
    entry = p.facts.types.get(node["resulttype"])
    for _ in range(_MAX_DOMAIN_DEPTH):
        if entry is None:
            break
        if entry.not_null:
            return never(f"domain {entry.name} refuses NULL")
        entry = p.facts.types.get(entry.base)
    return p.judge(node["arg"], scope)


@rule("BOOLEXPR")
def _boolean(p: Prover, node: Node, scope: Scope) -> Verdict:
    word = str(node["boolop"]).upper()
    return all_of(p.all(node["args"], scope), f"{word} of values is a value")


@rule("COALESCEEXPR")
def _coalesce(p: Prover, node: Node, scope: Scope) -> Verdict:
    return any_of(p.all(node["args"], scope), "coalesce gives its first value that is not NULL")


@rule("MINMAXEXPR")
def _minmax(p: Prover, node: Node, scope: Scope) -> Verdict:
    return any_of(p.all(node["args"], scope), "greatest and least ignore NULL arguments")


@rule("NULLIFEXPR")
def _nullif(_p: Prover, _node: Node, _scope: Scope) -> Verdict:
    return maybe("nullif is NULL when its arguments are equal")


@rule("DISTINCTEXPR")
def _distinct(p: Prover, node: Node, _scope: Scope) -> Verdict:
    """IS DISTINCT FROM asks `=` where both sides have values, and passes on what it gives."""
    if p.facts.is_total(node["opfuncid"]) or (
        node["opno"] in p.facts.equalities and p.facts.built_in(node["opfuncid"])
    ):
        return never("IS DISTINCT FROM is true or false")
    return maybe("the = of the type may give NULL")


@rule("ROWCOMPAREEXPR")
def _row_compare(p: Prover, node: Node, scope: Scope) -> Verdict:
    """The comparison calls the support functions of the fields' operator families."""
    if any(family >= FIRST_USER_OID for family in node["opfamilies"]):
        return maybe("a comparison of the user's may give NULL")
    return all_of(p.all(node["largs"] + node["rargs"], scope), "all compared fields have values")


@rule("JSONISPREDICATE")
def _is_json(p: Prover, node: Node, scope: Scope) -> Verdict:
    return p.judge(node["expr"], scope)


@rule("JSONVALUEEXPR")
def _json_value(p: Prover, node: Node, scope: Scope) -> Verdict:
    return p.judge(node["formatted_expr"] or node["raw_expr"], scope)


@rule("JSONCONSTRUCTOREXPR")
def _json(p: Prover, node: Node, scope: Scope) -> Verdict:
    kind = node["type"]
    if kind in (_JSON_OBJECT_AGG, _JSON_ARRAY_AGG):
        return p.judge(node["func"], scope) if node["func"] else maybe("the group may be empty")
    if kind in (_JSON_PARSE, _JSON_SCALAR, _JSON_SERIALIZE):
        args = node.items("args") or ([node["func"]] if node["func"] else [])
        return all_of(p.all(args, scope), "the JSON of a value is a value")
    return never("a JSON constructor makes JSON")


@rule("XMLEXPR")
def _xml(_p: Prover, node: Node, _scope: Scope) -> Verdict:
    if node["op"] == _XML_ELEMENT:
        return never("xmlelement makes an element")
    return maybe("XML functions may give NULL")


@rule("CASEEXPR")
def _case(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Each branch is judged under its own condition, and under the failure of those before it."""
    failed: FactSet = frozenset()
    branches: list[Verdict] = []
    for when in node["args"]:
        condition = when["expr"]
        possible = _outcomes_under(p, scope, failed, condition)
        if TRUE not in possible:
            continue
        holds = _with_subject(node, facts_of(condition, IF_TRUE, p.facts), p)
        branches.append(_under(p, scope, failed | holds, when["result"]))
        if branches[-1].null:
            return maybe("a branch of CASE may be NULL", branches[-1])
        if possible == {TRUE}:
            return all_of(branches, "every branch of CASE that can be reached has a value")
        failed |= facts_of(condition, _UNTRUE, p.facts)
    if node["defresult"] is None:
        return maybe("CASE without ELSE is NULL when no branch applies")
    branches.append(_under(p, scope, failed, node["defresult"]))
    return all_of(branches, "every branch of CASE has a value")


def _under(p: Prover, scope: Scope, assumed: FactSet, node: Node) -> Verdict:
    scope.assumed.append(assumed)
    try:
        with p.assuming(scope, assumed):
            return p.judge(node, scope)
    finally:
        scope.assumed.pop()


def _outcomes_under(p: Prover, scope: Scope, assumed: FactSet, node: Node) -> Outcomes:
    from aiosqlc.postgres.infer.truth import outcomes

    scope.assumed.append(assumed)
    try:
        with p.assuming(scope, assumed):
            return outcomes(p, node, scope)
    finally:
        scope.assumed.pop()


def _with_subject(case: Node, holds: FactSet, p: Prover) -> FactSet:
    """`CASE x WHEN 1`: the test compares a stand-in for x, so what it proves, it proves of x."""
    stands_in = any(isinstance(f, Node) and f.kind == "CASETESTEXPR" for f in holds)
    rest = frozenset(f for f in holds if not isinstance(f, Node) or not f.has("CASETESTEXPR"))
    return rest | known(case["arg"], p.facts) if stands_in and case["arg"] is not None else rest
