"""Read the content of tables, and the schema, before and after a migration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count

from aiosqlc.analysis.watched.contents import Column, Contents
from aiosqlc.servers.mysql.databases import MARK
from aiosqlc.servers.mysql.session import Session

Description = frozenset[tuple[str, str]]
"""A schema: the kind of each object, and the statement that creates it."""

_COLUMNS = """
SELECT c.table_name, c.column_name, c.column_type FROM information_schema.columns c
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
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in session.rows(_COLUMNS):
        if table != MARK:
            tables.setdefault(table, {})[column] = kind
    session.run("SET SESSION group_concat_max_len = 16777216")
    found: dict[str, tuple[int, dict[str, Column]]] = {}
    for table, columns in tables.items():
        values = ", ".join(f"{_digest(name)}, {_different(name)}" for name in map(quoted, columns))
        ((rows, *cells),) = session.rows(f"SELECT count(*), {values} FROM {quoted(table)}")  # noqa: S608 - quoted names
        cells = [
            Column(0, digest or "", different, kind)
            for digest, different, kind in zip(
                cells[::2], cells[1::2], columns.values(), strict=True
            )
        ]
        found[table] = rows, dict(zip(columns, cells, strict=True))
    return _numbered(found, earlier or {})


def _digest(column: str) -> str:
    text = f"coalesce(hex(cast({column} AS binary)), '-')"
    return f"sha2(group_concat({text} ORDER BY {text} SEPARATOR ','), 256)"


def _different(column: str) -> str:
    return f"count(distinct cast({column} AS binary))"


def _numbered(
    found: Mapping[str, tuple[int, dict[str, Column]]], earlier: Mapping[str, Contents]
) -> dict[str, Contents]:
    """Give each table and column its number in `earlier`, or a new number."""
    free = {name: held for name, held in earlier.items() if name not in found}
    numbered, new = {}, max((held.oid for held in earlier.values()), default=0)
    for name, (rows, columns) in found.items():
        old = earlier.get(name) or free.pop(_same_values(columns, free), None)
        if old is None:
            new += 1
        known = _columns(columns, old.columns if old else {})
        numbered[name] = Contents(old.oid if old else new, rows, known)
    return numbered


def _same_values(columns: Mapping[str, Column], tables: Mapping[str, Contents]) -> str:
    values = sorted(column.digest for column in columns.values())
    for name, held in tables.items():
        if sorted(column.digest for column in held.columns.values()) == values:
            return name
    return ""


def _columns(found: Mapping[str, Column], old: Mapping[str, Column]) -> dict[str, Column]:
    """Number the columns: a new name with the values of a former column is a rename of it."""
    free = {
        name: column
        for name, column in old.items()
        if name not in found or found[name].digest != column.digest
    }
    known: dict[str, Column] = {}
    for name in [name for name in found if name not in old]:
        same = next((n for n, column in free.items() if column.digest == found[name].digest), None)
        if same is not None:
            known[name] = free.pop(same)
    taken = {column.number for column in known.values()}
    known |= {n: old[n] for n in found if n in old and old[n].number not in taken}
    new = count(max((column.number for column in old.values()), default=0) + 1)
    return {
        name: now._replace(number=known[name].number if name in known else next(new))
        for name, now in found.items()
    }


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
