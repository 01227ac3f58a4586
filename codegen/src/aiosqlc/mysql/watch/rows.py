"""Count the rows that a statement changed, if its text does not name them: compare all rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pymysql

from aiosqlc.mysql.watch.contents import quoted
from aiosqlc.parse.scanner import Kind, code_tokens, unquote
from aiosqlc.servers.mysql.session import Session
from aiosqlc.source import Dialect

_ROUTINES = """
SELECT lower(routine_name), routine_definition FROM information_schema.routines
WHERE routine_schema = DATABASE()
"""
_LOOPS = frozenset({"LOOP", "WHILE", "REPEAT"})


@dataclass(frozen=True, slots=True)
class Copy:
    """The rows of a table, with the names of its columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def copies(session: Session, tables: Iterable[str]) -> dict[str, Copy]:
    """Return the rows of those tables that the session can read; LOCK TABLES may hide others."""
    found = {}
    for table in tables:
        with suppress(pymysql.MySQLError):
            columns = _columns(session, table)
            found[table] = Copy(columns, tuple(_rows(session, table, columns)))
    return found


def changed(session: Session, before: Mapping[str, Copy]) -> dict[str, int]:
    """Return the number of changed and deleted rows of each table that still exists.

    A row counts if a column of `before` has another value, or a new column not its default.
    """
    found = {}
    for table, copy in before.items():
        with suppress(pymysql.MySQLError):
            now = _columns(session, table)
            kept = [name for name in copy.columns if name in now]
            project = itemgetter(*(copy.columns.index(name) for name in kept))
            old = Counter(map(project, copy.rows))
            new = Counter(row if len(kept) > 1 else row[0] for row in _rows(session, table, kept))
            filled = [_filled(session, table, name) for name in now if name not in copy.columns]
            found[table] = max([sum((old - new).values()), *filled])
    return found


def works_in_batches(session: Session, call: str) -> bool:
    """Return whether a called procedure has a loop, or calls a procedure that has one."""
    bodies = {str(name): str(body or "") for name, body in session.rows(_ROUTINES)}
    texts = [call]
    for text in texts:  # the list grows
        tokens = code_tokens(text, Dialect.MYSQL)
        for at, token in enumerate(tokens):
            is_function = [after.text for after in tokens[at + 1 : at + 2]] == ["("]  # repeat(a, 3)
            if token.kind is Kind.NAME and token.text.upper() in _LOOPS and not is_function:
                return True
            if token.kind in {Kind.NAME, Kind.QUOTED}:
                texts.append(bodies.pop(unquote(token).lower(), ""))
    return False


def _columns(session: Session, table: str) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in session.rows(f"SHOW COLUMNS FROM {quoted(table)}"))


def _rows(session: Session, table: str, columns: Iterable[str]) -> Iterable[tuple[Any, ...]]:
    names = ", ".join(map(quoted, columns))
    return session.rows(f"SELECT {names} FROM {quoted(table)}")  # noqa: S608 - quoted names


def _filled(session: Session, table: str, column: str) -> int:
    """Return the number of rows in which a column does not have its default value."""
    name = quoted(column)
    with suppress(pymysql.MySQLError):  # it has no default
        ((count,),) = session.rows(
            f"SELECT count(*) FROM {quoted(table)} WHERE NOT ({name} <=> DEFAULT({name}))"  # noqa: S608 - quoted names
        )
        return int(count)
    return 0
