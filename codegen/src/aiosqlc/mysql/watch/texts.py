"""Find the tables that queries lock: the metadata locks that EXPLAIN takes in a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import pymysql

from aiosqlc.analysis.watched.observed import Held
from aiosqlc.ir import Table
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.errors import code_of
from aiosqlc.mysql.guard import left_out
from aiosqlc.mysql.rights import needs
from aiosqlc.mysql.sample import is_undone
from aiosqlc.mysql.syntax import parse
from aiosqlc.parse.placeholders import fill
from aiosqlc.servers.mysql.session import Session


class Use(NamedTuple):
    """A table that a query reads or writes."""

    table: str
    writes: bool


Needed = frozenset[Use]

_MARIADB = """
SELECT table_name, lock_mode = 'MDL_SHARED_WRITE' FROM information_schema.metadata_lock_info
WHERE table_schema = DATABASE() AND thread_id = %s
"""
_MYSQL = """
SELECT l.object_name, l.lock_type = 'SHARED_WRITE' FROM performance_schema.metadata_locks l
JOIN performance_schema.threads t ON t.thread_id = l.owner_thread_id
WHERE l.object_schema = DATABASE() AND l.object_type = 'TABLE' AND t.processlist_id = %s
"""


class Texts:
    """The project's queries on one database; `looking` is the session that sees the locks."""

    def __init__(self, session: Session, looking: Session) -> None:
        self._session, self._looking = session, looking
        self._locks = _locks_query(looking)

    def needed(self, queries: Mapping[str, Sequence[str]]) -> dict[str, Needed]:
        """Return the tables that each query locks in any of its variants.

        Queries that the server cannot explain are left out.
        """
        ((database,),) = self._session.rows("SELECT DATABASE()")
        tables = [one.table for one in read_schema(self._session, database).relations]
        found: dict[str, Needed] = {}
        for name, texts in queries.items():
            uses: set[Use] = set()
            for text in texts:
                one = self._of_text(text, tables)
                if one is None:
                    break
                uses |= one
            else:
                found[name] = frozenset(uses)
        return found

    def _of_text(self, text: str, tables: Sequence[Table]) -> set[Use] | None:
        if not is_undone(text):
            return None
        self._session.run("BEGIN")
        try:
            self._session.rows(_explain(text))
            if self._locks:
                thread = self._session.connection.thread_id()
                return {Use(n, bool(w)) for n, w in self._looking.rows(self._locks, thread)}
        except pymysql.MySQLError:
            return None
        finally:
            self._session.run("ROLLBACK")
        rights = needs(tables, [text]).rights
        return {Use(right.name, right.privilege != "SELECT") for right in rights}


def refusals(session: Session, queries: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return why queries fail: the server's error number, or a required column without a value.

    The server explains an INSERT that omits a required column, but refuses the row.
    """
    ((database,),) = session.rows("SELECT DATABASE()")
    schema = read_schema(session, database)
    found: dict[str, str] = {}
    for name, texts in queries.items():
        try:
            for text in texts:
                session.rows(_explain(text))
                if missing := left_out(session, parse(text), schema):
                    found.setdefault(name, ".".join(missing))
        except pymysql.MySQLError as error:
            found[name] = str(code_of(error))
    return found


def waiting(needed: Mapping[str, Needed], held: Sequence[Held]) -> tuple[str, ...]:
    """Return the queries that wait if a session holds the given locks."""
    return tuple(
        name
        for name, uses in needed.items()
        if any(
            use.table == lock.relation.name and (use.writes or lock.mode.stops_reads)
            for lock in held
            for use in uses
        )
    )


def _explain(text: str) -> str:
    return f"EXPLAIN {fill(text, lambda _index, _place: '1').sql}"


def _locks_query(session: Session) -> str:
    """Return the SQL that reads a thread's metadata locks, or '' if the server hides them."""
    if session.is_mariadb and session.private:
        with suppress(pymysql.MySQLError):  # it is installed already, or the server lacks it
            session.run("INSTALL SONAME 'metadata_lock_info'")
    query = _MARIADB if session.is_mariadb else _MYSQL
    try:
        session.rows(query, 0)
    except pymysql.MySQLError:
        return ""
    return query
