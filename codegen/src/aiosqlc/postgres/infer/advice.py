"""Find redundant work in a query from its parse tree, for three `vet` rules.

A finding has the code of its rule, and the name of a table or column as the query writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import functions_below
from aiosqlc.postgres.infer.levels import level_of
from aiosqlc.postgres.infer.outputs import output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import column_in
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node
from aiosqlc.relational.advice import dead_joins, is_distinct_anyway
from aiosqlc.relational.rows import RowCounter
from aiosqlc.relational.tree import Join

_SIGNS = ("{JOINEXPR", "distinctClause (", "{AGGREF")
_DEAD_JOIN, _NEEDLESS_DISTINCT, _COUNTS_ROWS = "V013", "V014", "V015"

Advice = tuple[str, str]


def advice_of(prover: Prover, counter: RowCounter, scope: Scope) -> Iterator[Advice]:
    """Yield the redundant work in a query, in its subqueries in FROM and in its WITH queries.

    The queries of views are not checked.
    """
    query = scope.query
    if not any(sign in query.text for sign in _SIGNS):
        return
    if scope.command == kinds.Command.SELECT:
        yield from _dead_joins(counter, scope)
        if is_distinct_anyway(counter, level_of(scope), partial(_has_value, prover, scope)):
            yield _NEEDLESS_DISTINCT, ""
        yield from _counted_rows(prover, scope)
    written = [e["subquery"] for e in scope.range_table if _is_written_here(e)]
    for inner in (*written, *(cte["ctequery"] for cte in query.list_of("cteList"))):
        yield from advice_of(prover, counter, scope.inner(inner))


def _is_written_here(entry: Node) -> bool:
    return bool(entry["rtekind"] == kinds.Rte.SUBQUERY and not entry.get("relid"))


# --- joins without used columns -------------------------------------------------------------------


def _dead_joins(counter: RowCounter, scope: Scope) -> Iterator[Advice]:
    def is_unread(join: Join, entries: frozenset[int]) -> bool:
        read = _reads(scope.query, entries, but_for=join.handle)
        return not read and not _acts(scope, join.handle, entries)

    for number in dead_joins(counter, level_of(scope), is_unread):
        yield _DEAD_JOIN, str(scope.entry(number)["eref"]["aliasname"])


def _reads(query: Node, entries: frozenset[int], *, but_for: Node) -> bool:
    """Return whether an expression outside the join `but_for` reads a column of `entries`.

    `entries` are numbers of FROM items.
    A merged column (`USING`) of a join may come from either side of the join.
    """
    joins = {n for n, e in enumerate(query.list_of("rtable"), 1) if e["rtekind"] == kinds.Rte.JOIN}
    return any(var["varno"] in entries | joins for var in _read(query, 0, but_for))


def _read(value: Any, depth: int, but_for: Node) -> Iterator[Node]:
    """Yield the Vars in one query, except inside `but_for` and in the column lists of joins."""
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
    """Return whether a join calls a volatile function, which may have side effects."""
    parts = [join, *(scope.entry(varno) for varno in entries)]
    return any(
        scope.catalog.volatile(function) for part in parts for function in functions_below(part)
    )


# --- DISTINCT -------------------------------------------------------------------------------------


def _has_value(prover: Prover, scope: Scope, number: int) -> bool:
    """Return whether a result column is NULL only in rows where an outer join has no match."""
    var = output_targets(scope.query)[number - 1]["expr"]
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
        if not prover.infer(var, scope).null:
            names = scope.entry(var["varno"])["eref"]["colnames"]
            yield _COUNTS_ROWS, str(names[var["varattno"] - 1])


def _aggregates(value: Any) -> Iterator[Node]:
    """Yield the aggregates of one query, but not the aggregates of its subqueries."""
    if isinstance(value, list):
        for item in value:
            yield from _aggregates(item)
    elif isinstance(value, Node) and value.has("AGGREF") and value.kind != "QUERY":
        if value.kind == "AGGREF":
            yield value
        for _, inside in value.children():
            yield from _aggregates(inside)
