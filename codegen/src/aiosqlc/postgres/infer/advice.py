"""Find useless work in a query, proved from its tree, as evidence for three `vet` rules.

A finding is a rule's code and the name it is about, as it stands in the query.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import functions_below
from aiosqlc.postgres.infer.grouping import is_ungrouped_aggregate
from aiosqlc.postgres.infer.joins import entries_of
from aiosqlc.postgres.infer.levels import level_of
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import column_in
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node
from aiosqlc.relational.closure import Binding, Closure
from aiosqlc.relational.rows import RowCounter

_SIGNS = (" :jointype 1", " :jointype 3", " :distinctClause (", "{AGGREF")
_DEAD_JOIN, _NEEDLESS_DISTINCT, _COUNTS_ROWS = "V013", "V014", "V015"

Advice = tuple[str, str]


def advice_of(prover: Prover, counter: RowCounter, scope: Scope) -> Iterator[Advice]:
    """Yield the useless work in a query, its subqueries in FROM and its WITH queries.

    What a view does is its own affair.
    """
    query = scope.query
    if not any(sign in query.text for sign in _SIGNS):
        return
    if scope.command == kinds.Command.SELECT:
        yield from _dead_joins(counter, scope)
        if _is_distinct_anyway(prover, counter, scope):
            yield _NEEDLESS_DISTINCT, ""
        yield from _counted_rows(prover, scope)
    written = [e["subquery"] for e in scope.range_table if _is_written_here(e)]
    for inner in (*written, *(cte["ctequery"] for cte in query.list_of("cteList"))):
        yield from advice_of(prover, counter, scope.inner(inner))


def _is_written_here(entry: Node) -> bool:
    return bool(entry["rtekind"] == kinds.Rte.SUBQUERY and not entry.get("relid"))


# --- joins whose columns nobody reads -------------------------------------------------------------


def _dead_joins(counter: RowCounter, scope: Scope) -> Iterator[Advice]:
    query = scope.query
    if query["rowMarks"] or query["setOperations"] is not None:
        return
    for join in scope.joins.outer:
        if join["jointype"] not in (kinds.Join.LEFT, kinds.Join.RIGHT):
            continue
        added = join["rarg"] if join["jointype"] == kinds.Join.LEFT else join["larg"]
        entries = frozenset(entries_of(added))
        if _reads(query, entries, but_for=join) or _acts(scope, join, entries):
            continue
        others = frozenset(entries_of(query["jointree"])) - entries
        closure = Closure(counter, level_of(scope), fixed=others)
        if not closure.has_full_join and entries <= closure.determined:
            yield _DEAD_JOIN, str(scope.entry(min(entries))["eref"]["aliasname"])


def _reads(query: Node, entries: frozenset[int], *, but_for: Node) -> bool:
    """Return whether anything outside a join reads a column of these entries.

    A column of a whole join (a merged one) may come from any of them.
    """
    joins = {n for n, e in enumerate(query.list_of("rtable"), 1) if e["rtekind"] == kinds.Rte.JOIN}
    return any(var["varno"] in entries | joins for var in _read(query, 0, but_for))


def _read(value: Any, depth: int, but_for: Node) -> Iterator[Node]:
    """Yield the Vars of a level, without those in the descriptions of joins."""
    if isinstance(value, list):
        for item in value:
            yield from _read(item, depth, but_for)
    elif isinstance(value, Node) and value is not but_for and value.has("VAR"):
        if value.kind == "VAR":
            if value["varlevelsup"] == depth:
                yield value
        elif value.kind != "RANGETBLENTRY" or value["rtekind"] != kinds.Rte.JOIN:
            for _, inside in value.children():
                deeper = isinstance(inside, Node) and inside.kind == "QUERY"
                yield from _read(inside, depth + 1 if deeper else depth, but_for)


def _acts(scope: Scope, join: Node, entries: frozenset[int]) -> bool:
    """Return whether dropping a join changes anything besides the number of rows."""
    parts = [join, *(scope.entry(varno) for varno in entries)]
    return any(
        scope.catalog.volatile(function) for part in parts for function in functions_below(part)
    )


# --- DISTINCT -------------------------------------------------------------------------------------


def _is_distinct_anyway(prover: Prover, counter: RowCounter, scope: Scope) -> bool:
    """Return whether no two rows are equal even without DISTINCT."""
    query = scope.query
    plain = query["setOperations"] is None and not query["hasDistinctOn"]
    if not query["distinctClause"] or not plain or query["hasTargetSRFs"]:
        return False
    if is_ungrouped_aggregate(query):
        return True
    if query["groupingSets"]:
        return False
    targets = [t for t in query.list_of("targetList") if not t["resjunk"]]
    if query["groupClause"]:
        shown = {t["ressortgroupref"] for t in targets}
        return all(clause["tleSortGroupRef"] in shown for clause in query["groupClause"])
    closure = Closure(counter, level_of(scope), _pinned(prover, scope, targets))
    return not closure.has_full_join and closure.all_determined


def _pinned(prover: Prover, scope: Scope, targets: list[Node]) -> dict[int, Binding]:
    """Bind the columns of one row: equal rows agree in them; only equal NULLs prove nothing."""
    operators = {c["tleSortGroupRef"]: c["eqop"] for c in scope.query["distinctClause"]}
    pinned: dict[int, Binding] = {}
    for number, target in enumerate(targets, 1):
        expr = target["expr"]
        equality = scope.catalog.equalities.get(operators.get(target["ressortgroupref"], 0))
        collation = expr.get("varcollid", 0)
        if expr.kind == "VAR" and equality and _has_value(prover, scope, expr, number):
            pinned[number] = Binding(False, equality.left, collation)
    return pinned


def _has_value(prover: Prover, scope: Scope, var: Node, number: int) -> bool:
    """Return whether a column is NULL only if an outer join found no match."""
    if var["varlevelsup"] == 0 and var["varattno"] > 0:
        entry = scope.entry(var["varno"])
        if entry["rtekind"] == kinds.Rte.RELATION:
            return scope.catalog.not_null(
                entry["relid"], var["varattno"], with_children=entry["inh"]
            )
    return not column_in(prover, scope, number).null


# --- count(x) -------------------------------------------------------------------------------------


def _counted_rows(prover: Prover, scope: Scope) -> Iterator[Advice]:
    query = scope.query
    for node in _aggregates([query["targetList"], query["havingQual"]]):
        if node["agglevelsup"] or node["aggdistinct"] or node["aggstar"]:
            continue
        args = node.list_of("args")
        if prover.facts.built_in(node["aggfnoid"]) != "count" or len(args) != 1:
            continue
        var = args[0]["expr"]
        if var.kind != "VAR" or var["varlevelsup"] or var["varattno"] <= 0:
            continue
        if not prover.judge(var, scope).null:
            names = scope.entry(var["varno"])["eref"]["colnames"]
            yield _COUNTS_ROWS, str(names[var["varattno"] - 1])


def _aggregates(value: Any) -> Iterator[Node]:
    """Yield the aggregates of a level."""
    if isinstance(value, list):
        for item in value:
            yield from _aggregates(item)
    elif isinstance(value, Node) and value.has("AGGREF") and value.kind != "QUERY":
        if value.kind == "AGGREF":
            yield value
        for _, inside in value.children():
            yield from _aggregates(inside)
