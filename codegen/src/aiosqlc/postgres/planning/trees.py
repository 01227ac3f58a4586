"""Read the JSON document of EXPLAIN as a tree of values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.servers.postgres.connection import Connection

_CONDITIONS = (
    "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter",
    "One-Time Filter", "TID Cond", "Order By", "Sort Key", "Presorted Key", "Group Key",
)  # fmt: skip
_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_]\w*)'
# The columns of `min` and `max`. The rest of an output is not kept, because it may contain values.
_EXTREME = re.compile(rf"\b(?:min|max)\(({_NAME}\.)?({_NAME})\)(?! FILTER)")
_DETAILS = (
    "Operation", "Parent Relationship", "Subplan Name", "CTE Name", "Function Name", "Strategy",
    "Partial Mode", "Parallel Aware", "Workers Planned", "Scan Direction", "Command",
    "Planned Partitions",
)  # fmt: skip


def explained(
    connection: Connection, sql: str, indexes: Mapping[str, str], changes: Sequence[str] = ()
) -> Plan | None:
    """Return the generic plan of a statement, or None if the server refuses EXPLAIN for it.

    `indexes` maps the names of indexes to the names that a plan shows. `changes` are statements
    that run before EXPLAIN and are rolled back. The statement is planned and not run.
    """
    options = "generic_plan, verbose, format json, costs on"
    connection.run("begin")
    try:
        for change in changes:
            connection.run(change)
        rows = connection.rows(f"explain ({options}) {sql}")
    except RuntimeError:
        return None
    finally:
        connection.run("rollback")
    document = json.loads("".join(row[0] or "" for row in rows))[0]
    return tree(document["Plan"], indexes) if "Plan" in document else None


def tree(node: Mapping[str, Any], indexes: Mapping[str, str]) -> Plan:
    """Convert a node of EXPLAIN's document, with the nodes below it."""
    index = node.get("Index Name", "")
    return Plan(
        node=node["Node Type"],
        rows=int(node.get("Plan Rows", 0)),
        cost=float(node.get("Total Cost", 0.0)),
        startup=float(node.get("Startup Cost", 0.0)),
        width=int(node.get("Plan Width", 0)),
        join=node.get("Join Type", ""),
        relation=_named(node.get("Schema", ""), node.get("Relation Name", "")),
        alias=node.get("Alias", ""),
        index=indexes.get(index, index),
        conditions=tuple((key, _text(node[key])) for key in _CONDITIONS if key in node),
        details=tuple((key, _text(node[key])) for key in _DETAILS if key in node) + _extremes(node),
        children=tuple(tree(inner, indexes) for inner in node.get("Plans", ())),
    )


def _extremes(node: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the columns whose smallest or largest value an aggregate without groups computes."""
    if node["Node Type"] != "Aggregate" or node.get("Strategy") != "Plain":
        return ()
    # An output that reads a single relation has no aliases.
    below, alias = node, ""
    while below.get("Plans") and not alias:
        below = below["Plans"][-1]
        alias = below.get("Alias", "")
    found = dict.fromkeys(
        (prefix or f'"{alias}".') + column
        for prefix, column in _EXTREME.findall(_text(node.get("Output", ())))
    )
    return (("Extremes", ", ".join(found)),) if found else ()


def _named(schema: str, name: str) -> str:
    return name if schema in {"", "public", "pg_catalog"} or not name else f"{schema}.{name}"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
