"""Infer the effects of GROUP BY: whether every group has a row, and which keys may be NULL."""

from __future__ import annotations

import itertools

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.joins import conjuncts
from aiosqlc.postgres.tree import Node

OMITTED = -5
"""Marks a grouping key that may be NULL because a grouping set omits it.

Only trees before PostgreSQL 18 need this mark. It is one of the numbers that mark outer joins and
other reasons for NULL; see `infer.relations`.
"""
_MOST_SETS = 256  # CUBE grows exponentially, so nothing is inferred beyond this limit


def grouping_sets(query: Node) -> list[frozenset[int]] | None:
    """Return the grouping sets, each as a set of key numbers, or None if there are too many.

    A plain GROUP BY is one set. The list is empty for a query without GROUP BY.
    """
    if not query["groupingSets"]:
        keys = frozenset(c["tleSortGroupRef"] for c in query.list_of("groupClause"))
        return [keys] if keys else []
    product: list[frozenset[int]] = [frozenset()]
    for node in query["groupingSets"]:
        part = _expand(node)
        if part is None or len(product) * len(part) > _MOST_SETS:
            return None
        product = [left | right for left, right in itertools.product(product, part)]
    return product


def _expand(node: Node) -> list[frozenset[int]] | None:
    kind, content = node["kind"], node["content"] or []
    if kind == kinds.GroupingSet.EMPTY:
        return [frozenset()]
    if kind == kinds.GroupingSet.SIMPLE:
        return [frozenset(content)]
    if kind == kinds.GroupingSet.SETS:
        found: list[frozenset[int]] = []
        for inner in content:
            part = _expand(inner)
            if part is None:
                return None
            found += part
        return found
    parts = [frozenset(inner["content"] or []) for inner in content]
    if kind == kinds.GroupingSet.ROLLUP:
        return [frozenset().union(*parts[:n]) for n in range(len(parts), -1, -1)]
    if 2 ** len(parts) > _MOST_SETS:
        return None
    return [
        frozenset().union(*chosen)
        for n in range(len(parts) + 1)
        for chosen in itertools.combinations(parts, n)
    ]


def twice_grouped(query: Node, expressions: list[Node]) -> frozenset[int]:
    """Return the grouping keys that may be NULL although no node of the parse tree shows it.

    If two keys are the same column, as in `FROM t JOIN u USING (id) GROUP BY t.id, ROLLUP (id)`,
    the tree always refers to the first of them. But the server returns each key separately.
    """
    if not query["groupingSets"]:
        return frozenset()
    sets = grouping_sets(query)
    refs = [clause["tleSortGroupRef"] for clause in query.list_of("groupClause")]
    always = frozenset.intersection(*sets) if sets else frozenset[int]()
    plain = [_behind_joins(query, expression) for expression in expressions]
    found = set()
    for number, key in enumerate(plain):
        alike = [ref for ref, other in zip(refs, plain, strict=True) if other is key]
        if len(alike) > 1 and not always.issuperset(alike):
            found.add(number + 1)
    return frozenset(found)


def keys_shown(query: Node, outputs: list[Node]) -> list[frozenset[int]]:
    """Return, for each result column of a query with grouping sets, the keys that it may contain.

    These are the keys with the column's expression. If there are several, the tree does not show
    which one the column is.
    """
    expressions = {t["ressortgroupref"]: t["expr"] for t in query["targetList"]}
    keys = [
        (ref, _behind_keys(query, expressions[ref]))
        for ref in {clause["tleSortGroupRef"] for clause in query.list_of("groupClause")}
    ]
    plain = [_behind_keys(query, node) for node in outputs]
    return [frozenset(ref for ref, key in keys if key == node) for node in plain]


def _behind_keys(query: Node, node: Node) -> Node:
    """Return the expression of the grouping key that a Var refers to (since PostgreSQL 18)."""
    if node.kind == "VAR" and not node["varlevelsup"] and node["varattno"] > 0:
        entry = query["rtable"][node["varno"] - 1]
        if entry["rtekind"] == kinds.Rte.GROUP:
            node = entry["groupexprs"][node["varattno"] - 1]
    return _behind_joins(query, node)


def _behind_joins(query: Node, node: Node) -> Node:
    """Return the table column for which a column of a join stands."""
    while node.kind == "VAR" and not node["varlevelsup"] and node["varattno"] > 0:
        entry = query["rtable"][node["varno"] - 1]
        if entry["rtekind"] != kinds.Rte.JOIN:
            break
        node = entry["joinaliasvars"][node["varattno"] - 1]
    return node


def is_ungrouped_aggregate(query: Node) -> bool:
    """Return whether a query aggregates all its rows to one row, even if no row is selected."""
    aggregated = query["hasAggs"] or query["havingQual"] is not None
    return bool(aggregated) and not query["groupClause"] and not query["groupingSets"]


def groups_have_rows(query: Node, facts: Facts) -> bool:
    """Return whether every group in the result has at least one row."""
    sets = grouping_sets(query)
    if sets is not None and bool(sets) and all(sets):
        return True
    return any(_counts_rows(c, facts) for c in conjuncts(query["havingQual"]))


def _counts_rows(condition: Node, facts: Facts) -> bool:
    """Return whether a HAVING condition is false for a group without rows, as `count(*) > 0` is."""
    if condition.kind == "NULLTEST":
        test = condition["nulltesttype"] == kinds.IS_NOT_NULL and not condition["argisrow"]
        arg = condition["arg"]
        empties = facts.built_in(arg["aggfnoid"]) if arg.kind == "AGGREF" else ""
        return test and empties in _NULL_OVER_NOTHING and arg["agglevelsup"] == 0
    if condition.kind != "OPEXPR" or len(condition["args"]) != 2:
        return False
    call, bound = condition["args"]
    if call.kind != "AGGREF" or facts.built_in(call["aggfnoid"]) != "count" or call["agglevelsup"]:
        return False
    least = _MORE_THAN.get(facts.built_in(condition["opfuncid"]))
    if least is None or bound.kind != "CONST" or bound["constisnull"]:
        return False
    data = bound["constvalue"].data[: bound["constlen"]]
    return int.from_bytes(data, "little", signed=True) >= least


# Aggregates that are NULL over no rows.
_NULL_OVER_NOTHING = frozenset({"sum", "avg", "min", "max", "array_agg", "string_agg", "any_value"})
# Comparisons of a count with a number: the smallest number that implies a row.
_MORE_THAN = {
    "int8gt": 0, "int84gt": 0, "int82gt": 0,
    "int8ge": 1, "int84ge": 1, "int82ge": 1,
    "int8eq": 1, "int84eq": 1, "int82eq": 1,
}  # fmt: skip
