"""Query plans without data: the server's generic plan, for `explain` and `vet`."""

from __future__ import annotations

import json
from typing import Any

from aiosqlc.ir import AnalyzeOptions, SchemaFile, TypedQuery
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.servers.postgres.connection import Connection


def query_plans(
    analyzer: Analyzer,
    schema: tuple[SchemaFile, ...],
    queries: tuple[TypedQuery, ...],
    options: AnalyzeOptions,
) -> dict[str, dict[str, Any]]:
    """Return the generic plan of each query by name, as the JSON document of EXPLAIN.

    The tables are empty, so the planner is configured to use an index if one is usable
    (`enable_seqscan = off`). A sequential scan in the plan thus means that no index is usable.
    Utility statements have no plan and are omitted.
    """
    opened = analyzer.opened(schema, options)
    if opened is None:
        return {}
    connection, _ = opened
    found: dict[str, dict[str, Any]] = {}
    for query in queries:
        document = _query_plan(connection, query.sql)
        if document is not None:
            found[query.parsed.name] = document
    return found


def _query_plan(connection: Connection, sql: str) -> dict[str, Any] | None:
    connection.run("begin")
    connection.run("set local enable_seqscan = off")
    try:
        rows = connection.rows(f"explain (generic_plan, format json, costs on) {sql}")
    except RuntimeError:
        return None
    finally:
        connection.run("rollback")
    document: dict[str, Any] = json.loads("".join(row[0] or "" for row in rows))[0]
    return document


def full_scans(document: dict[str, Any], facts: Facts) -> tuple[str, ...]:
    """Return the tables that a plan scans completely because no index is usable."""
    names = {relation.name for relation in facts.relations.values()}
    found: dict[str, None] = {}
    _visit(document.get("Plan", {}), names, found)
    return tuple(found)


def _visit(node: dict[str, Any], names: set[str], found: dict[str, None]) -> None:
    relation = node.get("Relation Name")
    if node.get("Node Type") == "Seq Scan" and relation in names:
        found[relation] = None
    for inner in node.get("Plans", ()):
        _visit(inner, names, found)
