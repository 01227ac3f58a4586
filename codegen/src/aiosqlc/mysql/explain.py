"""Show the server's plan for a query on a few generated rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from aiosqlc.ir import AnalyzeOptions, SchemaFile, TypedQuery
from aiosqlc.mysql.opened import opened
from aiosqlc.mysql.sample import is_undone, sample_rows, with_arguments


def query_plan(
    schema: Sequence[SchemaFile], query: TypedQuery, options: AnalyzeOptions
) -> list[dict[str, Any]]:
    """Return the rows of EXPLAIN, or an empty list if the server has no plan."""
    with opened(schema, options) as found:
        if found is None or not is_undone(query.sql):
            return []
        with (
            sample_rows(found.session, found.schema),
            found.session.connection.cursor(DictCursor) as cursor,
        ):
            try:
                cursor.execute(f"EXPLAIN {with_arguments(query, 1)}")
            except pymysql.MySQLError:
                return []
            return [dict(row) for row in cursor.fetchall()]


def query_plan_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Format a query plan: one line for each table, in the order of reading."""
    return [_line(row) for row in rows]


def _line(row: dict[str, Any]) -> str:
    table = row["table"] or row["select_type"].lower()
    said = [str(row["type"]) if row["type"] else ""]
    if row["key"]:
        said.append(f"key {row['key']}")
    elif row["possible_keys"]:
        said.append(f"possible keys {row['possible_keys']}")
    said.append(row["Extra"] or "")
    return f"{table}: {', '.join(part for part in said if part)}"
