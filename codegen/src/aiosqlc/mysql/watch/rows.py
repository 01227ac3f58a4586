"""Count the rows that a statement such as CALL changes, by comparing the rows of all tables.

The text of such a statement does not name the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import pymysql
from msgspec import Struct

from aiosqlc.mysql.watch.contents import quoted
from aiosqlc.parse.scanner import Kind, code_tokens, unquote
from aiosqlc.servers.mysql.session import Session
from aiosqlc.source import Dialect

_ROUTINES = """
SELECT lower(routine_name), routine_definition FROM information_schema.routines
WHERE routine_schema = DATABASE()
"""
_LOOPS = frozenset({"LOOP", "WHILE", "REPEAT"})


class Copy(Struct, frozen=True):
    """The rows of a table, with the names of its columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def of(self, *columns: str) -> Counter[tuple[Any, ...]]:
        """Return the values of some columns, with the number of rows that have them."""
        places = [self.columns.index(name) for name in columns]
        return Counter(tuple(row[at] for at in places) for row in self.rows)


def copies(session: Session, tables: Iterable[str]) -> dict[str, Copy]:
    """Return copies of the tables, except those that LOCK TABLES hides from the session."""
    found = {}
    for table in tables:
        with suppress(pymysql.MySQLError):
            found[table] = _copy(session, table)
    return found


def changed(session: Session, before: Mapping[str, Copy]) -> dict[str, int]:
    """Return the number of changed and deleted rows of each table that still exists.

    A row counts as changed if a column has another value than in `before`, or if an added column
    has another value than its default. An added column with the values of a removed column counts
    as this column under another name.
    """
    found = {}
    for table, copy in before.items():
        with suppress(pymysql.MySQLError):
            now = _copy(session, table)
            kept = [name for name in copy.columns if name in now.columns]
            lost = [copy.of(name) for name in copy.columns if name not in kept]
            new = [name for name in now.columns if name not in kept and now.of(name) not in lost]
            altered = (copy.of(*kept) - now.of(*kept)).total()
            found[table] = max([altered, *(_filled(session, table, name) for name in new)])
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


def _copy(session: Session, table: str) -> Copy:
    columns = tuple(str(row[0]) for row in session.rows(f"SHOW COLUMNS FROM {quoted(table)}"))
    names = ", ".join(map(quoted, columns))
    rows = session.rows(f"SELECT {names} FROM {quoted(table)}")  # noqa: S608 - quoted names
    return Copy(columns, tuple(rows))


def _filled(session: Session, table: str, column: str) -> int:
    """Return the number of rows in which a column does not have its default value."""
    name = quoted(column)
    with suppress(pymysql.MySQLError):  # it has no default
        ((count,),) = session.rows(
            f"SELECT count(*) FROM {quoted(table)} WHERE NOT ({name} <=> DEFAULT({name}))"  # noqa: S608 - quoted names
        )
        return int(count)
    return 0
