"""Find the expressions that are not null if a condition is true, or false, or NULL.

A condition has three outcomes. `facts(condition, possible)` returns the Vars and expressions that
are not null if the outcome is one of `possible`. AND, OR and NOT follow from three-valued logic.
Everything else follows from strictness: a strict function that is not NULL has no NULL argument.
"""

from __future__ import annotations

import re

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.tree import Node

# A Var of this query level: (range table index, attribute, outer joins that may null the Var).
VarKey = tuple[int, int, frozenset[int]]
Fact = VarKey | Node
FactSet = frozenset[Fact]

TRUE, FALSE, NULL = "T", "F", "N"
Outcomes = frozenset[str]
IF_TRUE: Outcomes = frozenset({TRUE})
IF_FALSE: Outcomes = frozenset({FALSE})
IF_KNOWN: Outcomes = frozenset({TRUE, FALSE})
NOTHING: FactSet = frozenset()

NEGATED = {TRUE: FALSE, FALSE: TRUE, NULL: NULL}
_OPERATORS = frozenset({"OPEXPR", "SCALARARRAYOPEXPR", "DISTINCTEXPR", "NULLIFEXPR"})
_FUNCTION = re.compile(r" :(?:opfuncid|funcid) (\d+)")
_INNER_PARAM = re.compile(r"\{PARAM :paramkind [1-9]")
# `x IS [NOT] TRUE` and similar: the outcomes of x for which the test is true.
BOOLEAN_TESTS: dict[int, Outcomes] = {
    kinds.IS_TRUE: frozenset({TRUE}),
    kinds.IS_NOT_TRUE: frozenset({FALSE, NULL}),
    kinds.IS_FALSE: frozenset({FALSE}),
    kinds.IS_NOT_FALSE: frozenset({TRUE, NULL}),
    kinds.IS_UNKNOWN: frozenset({NULL}),
    kinds.IS_NOT_UNKNOWN: frozenset({TRUE, FALSE}),
}
_ALL: Outcomes = frozenset({TRUE, FALSE, NULL})
# Casts that are NULL exactly if their argument is NULL.
CASTS = frozenset({"RELABELTYPE", "COERCEVIAIO", "COLLATEEXPR", "ARRAYCOERCEEXPR", "NAMEDARGEXPR"})


def var_key(node: Node) -> VarKey:
    """Return the key under which facts about a column (Var) of the current query are stored."""
    return (node["varno"], node["varattno"], node["varnullingrels"] or frozenset())


def called(node: Node) -> int:
    """Return the OID of the function behind a call or an operator, or 0 for other nodes."""
    if node.kind == "FUNCEXPR":
        return int(node["funcid"])
    return int(node["opfuncid"]) if node.kind in _OPERATORS else 0


def functions_below(node: Node) -> set[int]:
    """Return the OIDs of all functions that an expression calls, including through operators."""
    return {int(oid) for oid in _FUNCTION.findall(node.text)}


def stable(node: Node, facts: Facts) -> bool:
    """Return whether an expression has the same value each time that it is evaluated for a row."""
    if node.memo is None:
        node.memo = {}
    known = node.memo.get("stable")
    if known is None:
        known = node.memo["stable"] = not (
            node.has("SUBLINK")
            or node.has("NEXTVALUEEXPR")
            or _INNER_PARAM.search(node.text)
            or any(facts.volatile(function) for function in functions_below(node))
        )
    return facts.holds(
        "condition", "a second evaluation of the operand gives the same value", known
    )


def facts_of(node: Node, possible: Outcomes, facts: Facts) -> FactSet:
    """Return the expressions that are not null if the condition's outcome is one of `possible`."""
    if node.kind == "BOOLEXPR":
        return _boolean(node, possible, facts)
    if node.kind == "NULLTEST":
        return _null_test(node, possible, facts)
    if node.kind == "BOOLEANTEST":
        holds = BOOLEAN_TESTS[node["booltesttype"]]
        inner: Outcomes = frozenset()
        if TRUE in possible:
            inner |= holds
        if possible & {FALSE, NULL}:
            inner |= _ALL - holds
        return facts_of(node["arg"], inner, facts)
    if node.kind == "DISTINCTEXPR":
        return _distinct(node, possible, facts)
    if NULL in possible:
        return NOTHING
    if node.kind == "COALESCEEXPR" and possible == IF_TRUE:
        return _coalesce(node, facts)
    if node.kind == "SCALARARRAYOPEXPR":
        return _array_operation(node, possible, facts)
    if node.kind == "SUBLINK":
        return _any_sublink(node, possible, facts)
    return known(node, facts)


def _boolean(node: Node, possible: Outcomes, facts: Facts) -> FactSet:
    args: list[Node] = node["args"]
    if node["boolop"] == "not":
        return facts_of(args[0], frozenset(NEGATED[o] for o in possible), facts)
    # One FALSE decides AND, and one TRUE decides OR. Otherwise, all arguments have one outcome.
    decider, agreement = (FALSE, TRUE) if node["boolop"] == "and" else (TRUE, FALSE)
    alternatives: list[FactSet] = []
    if agreement in possible:
        every = [facts_of(arg, frozenset({agreement}), facts) for arg in args]
        alternatives.append(frozenset().union(*every))
    some = possible - {agreement}
    if some == {decider} or some == {decider, NULL}:
        alternatives.append(_common([facts_of(arg, some, facts) for arg in args]))
    elif some:
        return NOTHING
    return _common(alternatives)


def _common(sets: list[FactSet]) -> FactSet:
    return frozenset.intersection(*sets) if sets else NOTHING


def _null_test(node: Node, possible: Outcomes, facts: Facts) -> FactSet:
    wants_value = node["nulltesttype"] == kinds.IS_NOT_NULL
    if possible <= {TRUE, NULL}:
        has_value = wants_value
    elif possible <= {FALSE, NULL}:
        has_value = not wants_value
    else:
        return NOTHING
    if not has_value:
        return NOTHING
    if not node["argisrow"]:
        return known(node["arg"], facts)
    # `row IS NOT NULL` is true if no field is NULL; `row IS NULL` is false if a field is not NULL.
    row = node["arg"]
    if row.kind == "VAR" and row["varlevelsup"] == 0:
        varno, _, nulling = var_key(row)
        every = frozenset({(varno, -1000, nulling)}) if wants_value else NOTHING
        return every | {(varno, 0, nulling)}
    if row.kind == "ROWEXPR" and wants_value:
        return frozenset().union(*(known(arg, facts) for arg in row["args"] or []))
    return NOTHING


def _distinct(node: Node, possible: Outcomes, facts: Facts) -> FactSet:
    """Return the expressions that are not null if `x IS DISTINCT FROM value` is false."""
    if TRUE in possible:
        return NOTHING
    left, right = node["args"]
    if _is_value(right):
        return known(left, facts)
    return known(right, facts) if _is_value(left) else NOTHING


def _is_value(node: Node) -> bool:
    return node.kind == "CONST" and not node["constisnull"]


def _coalesce(node: Node, facts: Facts) -> FactSet:
    """Return the expressions that are not null if `coalesce(x, false)` (and so x) is true."""
    first, *rest = node["args"]
    untrue = all(
        a.kind == "CONST" and (a["constisnull"] or not any(a["constvalue"].data)) for a in rest
    )
    return facts_of(first, IF_TRUE, facts) if untrue else NOTHING


def _array_operation(node: Node, possible: Outcomes, facts: Facts) -> FactSet:
    """Return the expressions that are not null if `x op ANY (array)` is true.

    Then the array has an element, and `op` is true for it.
    """
    found = known(node, facts)
    decided = IF_TRUE if node["useOr"] else IF_FALSE
    if facts.holds(
        "condition",
        "the condition is true only if one of its comparisons is true",
        possible == decided,
    ) and _strict(node, facts):
        found |= known(node["args"][0], facts)
    return found


def _any_sublink(node: Node, possible: Outcomes, facts: Facts) -> FactSet:
    """Return the expressions that are not null if `x op ANY (select …)` is true.

    Then `op` is true for one row.
    """
    if node["subLinkType"] == kinds.SubLink.ANY and possible == IF_TRUE and node["testexpr"]:
        return frozenset(
            fact
            for fact in facts_of(node["testexpr"], IF_TRUE, facts)
            if not isinstance(fact, Node) or stable(fact, facts)
        )
    return NOTHING


def _strict(node: Node, facts: Facts) -> bool:
    function = facts.functions.get(called(node))
    if function is None or function.set:
        return False
    return facts.holds("condition", "the function is strict", function.strict)


def known(node: Node, facts: Facts) -> FactSet:
    """Return the expressions that are not null whenever an expression's value is not null."""
    if node.kind == "VAR":
        return frozenset({var_key(node)}) if node["varlevelsup"] == 0 else NOTHING
    itself: FactSet = frozenset({node}) if stable(node, facts) else NOTHING
    if node.kind in CASTS or node.kind == "COERCETODOMAIN":
        return itself | known(node["arg"], facts)
    if node.kind in {"OPEXPR", "FUNCEXPR"} and _strict(node, facts):
        return itself.union(*(known(arg, facts) for arg in node.list_of("args")))
    if node.kind == "NULLIFEXPR":
        return itself | known(node["args"][0], facts)
    if node.kind == "SCALARARRAYOPEXPR":
        found = itself | known(node["args"][1], facts)  # a NULL array makes the result NULL
        compared = facts.holds(
            "condition", "the array has an element", _has_elements(node["args"][1])
        )
        if compared and _strict(node, facts):
            found |= known(node["args"][0], facts)
        return found
    if node.kind == "BOOLEXPR":
        return itself | _boolean(node, IF_KNOWN, facts)
    return itself


def _has_elements(node: Node) -> bool:
    """Return whether an array surely has an element: `ARRAY[x]`, but not `ARRAY['{}'::int[]]`."""
    return node.kind == "ARRAYEXPR" and bool(node["elements"]) and not node["multidims"]
