"""Read the content of tables, and the schema, before and after a migration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aiosqlc.analysis.watched.contents import Column, Contents
from aiosqlc.servers.mysql.databases import MARK
from aiosqlc.servers.mysql.session import Session

Description = frozenset[tuple[str, str]]
"""A schema: the kind of each object, and the statement that creates it."""

_COLUMNS = """
SELECT c.table_name, c.column_name FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = DATABASE() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
ORDER BY c.table_name, c.ordinal_position
"""
_TABLES = "SHOW FULL TABLES"
_TRIGGERS = """
SELECT trigger_name, event_manipulation, event_object_table, action_timing, action_statement
FROM information_schema.triggers WHERE trigger_schema = DATABASE()
"""
_NEXT = re.compile(r" AUTO_INCREMENT=\d+")


def contents(
    session: Session, earlier: Mapping[str, Contents] | None = None
) -> dict[str, Contents]:
    """Return the content of every table, regardless of the order of rows.

    MySQL has no ID of a table or column that survives every change. So if a table or column
    disappears and another one with the same values appears, it counts as renamed.
    """
    tables: dict[str, list[str]] = {}
    for table, column in session.rows(_COLUMNS):
        if table != MARK:
            tables.setdefault(table, []).append(column)
    session.run("SET SESSION group_concat_max_len = 16777216")
    found: dict[str, tuple[int, dict[str, str]]] = {}
    for table, columns in tables.items():
        values = ", ".join(_digest(quoted(column)) for column in columns)
        ((count, *digests),) = session.rows(f"SELECT count(*), {values} FROM {quoted(table)}")  # noqa: S608 - quoted names
        found[table] = count, dict(zip(columns, (text or "" for text in digests), strict=True))
    return _numbered(found, earlier or {})


def _digest(column: str) -> str:
    text = f"coalesce(hex(cast({column} AS binary)), '-')"
    return f"sha2(group_concat({text} ORDER BY {text} SEPARATOR ','), 256)"


def _numbered(
    found: Mapping[str, tuple[int, dict[str, str]]], earlier: Mapping[str, Contents]
) -> dict[str, Contents]:
    """Give each table and column its number in `earlier`, or a new number."""
    free = {name: held for name, held in earlier.items() if name not in found}
    numbered, new = {}, max((held.oid for held in earlier.values()), default=0)
    for name, (rows, digests) in found.items():
        old = earlier.get(name) or free.pop(_same_values(digests, free), None)
        if old is None:
            new += 1
        columns = _columns(digests, old.columns if old else {})
        numbered[name] = Contents(old.oid if old else new, rows, columns)
    return numbered


def _same_values(digests: Mapping[str, str], tables: Mapping[str, Contents]) -> str:
    values = sorted(digests.values())
    for name, held in tables.items():
        if sorted(column.digest for column in held.columns.values()) == values:
            return name
    return ""


def _columns(digests: Mapping[str, str], old: Mapping[str, Column]) -> dict[str, Column]:
    free = {name: column for name, column in old.items() if name not in digests}
    columns, new = {}, max((column.number for column in old.values()), default=0)
    for name, digest in digests.items():
        known = old.get(name)
        if known is None:
            same = next((other for other, column in free.items() if column.digest == digest), "")
            known = free.pop(same, None)
        if known is None:
            new += 1
        columns[name] = Column(known.number if known else new, digest)
    return columns


def description(session: Session) -> Description:
    """Return the objects of a database, each as the statement that creates it."""
    found = set()
    for name, kind in session.rows(_TABLES):
        if name != MARK:
            ((_, text, *_),) = session.rows(f"SHOW CREATE TABLE {quoted(name)}")
            found.add((kind, _NEXT.sub("", text)))
    found |= {("TRIGGER", repr(row)) for row in session.rows(_TRIGGERS)}
    return frozenset(found)


def quoted(name: str) -> str:
    """Return an identifier in quotation marks."""
    return "`" + name.replace("`", "``") + "`"
