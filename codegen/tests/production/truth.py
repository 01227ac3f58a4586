"""Measure without `pg_locks` how a statement affects other sessions: they try, and blocks count.

A statement is dangerous if a read or a write of a row waits while it runs or until its transaction
ends, and if its work grows with the existing rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import errors, sql

from tests.production.statements import READ, ROWS, SCHEMA
from tests.servers.postgres import TestPostgres

FEW, MANY = 50, 10_000
_GROWS = 25  # blocks of 8 kB: the smallest table here has about forty with many rows
_BLOCKS = """
SELECT coalesce(sum(
    coalesce(hits, 0) + (coalesce(read_bytes, 0) + coalesce(extend_bytes, 0)) / 8192
), 0)
FROM pg_stat_get_backend_io(%s) WHERE object IN ('relation', 'temp relation')
"""


class Truth:
    """Databases with few and many rows, from which each statement gets copies."""

    def __init__(self, server: TestPostgres) -> None:
        self._server = server
        self._few, self._many = self._filled(FEW), self._filled(MANY)

    def dangerous(self, statement: str) -> bool:
        """Return whether others wait while the statement does work that grows with the tables."""
        if not self._grows(statement):
            return False
        with self._copy(self._many) as url:
            return _others_wait(url, statement)

    def _grows(self, statement: str) -> bool:
        used = []
        for template in (self._few, self._many):
            with self._copy(template) as url, psycopg.connect(url, autocommit=True) as connection:
                connection.execute("SET timezone = 'Asia/Kathmandu'")
                before = _blocks(connection)
                connection.execute(statement)  # type: ignore[call-overload] # a text of ours
                used.append(_blocks(connection) - before)
        return used[1] - used[0] > _GROWS

    def _filled(self, rows: int) -> str:
        url = self._server.create_empty("truth")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA)
            connection.execute(ROWS.format(rows=rows).encode())
            connection.execute("CHECKPOINT")
        return url

    @contextmanager
    def _copy(self, template: str) -> Iterator[str]:
        url = self._server.copy(template)
        try:
            yield url
        finally:
            self._server.drop(url)


def _blocks(connection: psycopg.Connection[tuple[int]]) -> int:
    """Return how many blocks the session has read so far."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.execute("SELECT 1")
    row = connection.execute(_BLOCKS, [connection.info.backend_pid]).fetchone()
    assert row
    return int(row[0])


def _others_wait(url: str, statement: str) -> bool:
    """Run a statement, if possible without its commit; try to read and to write."""
    with psycopg.connect(url, autocommit=True) as acting, psycopg.connect(url) as other:
        acting.execute("SET timezone = 'Asia/Kathmandu'")
        try:
            acting.execute("BEGIN")
            acting.execute(statement)  # type: ignore[call-overload] # a text of ours
        except errors.ActiveSqlTransaction:
            acting.execute("ROLLBACK")
            return _wait_meanwhile(url, acting, other, statement)
        return _waits(other, READ)


def _wait_meanwhile(
    url: str,
    acting: psycopg.Connection[tuple[int]],
    other: psycopg.Connection[tuple[int]],
    statement: str,
) -> bool:
    """Try while a transaction on its tables blocks a statement that commits by itself.

    So the statement cannot end before the others have tried. If nothing blocks it, it needs no lock
    that conflicts with a read or a write.
    """
    with psycopg.connect(url) as holder:
        for table in READ:
            name = sql.Identifier(table)
            holder.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(name))
            if table != "score":
                holder.execute(sql.SQL("UPDATE {} SET id = id WHERE id = 2").format(name))
        acting.pgconn.send_query(statement.encode())
        met = _is_held_up(acting, other) and _waits(other, READ)
        holder.rollback()
    while acting.pgconn.get_result():
        pass
    return met


def _is_held_up(
    acting: psycopg.Connection[tuple[int]], other: psycopg.Connection[tuple[int]]
) -> bool:
    """Return whether a statement waits for a lock, or False once it has ended."""
    asked = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    while True:
        acting.pgconn.consume_input()
        if not acting.pgconn.is_busy():
            return False
        row = other.execute(asked, [acting.info.backend_pid]).fetchone()
        other.rollback()
        if row and row[0]:
            return True


def _waits(other: psycopg.Connection[tuple[int]], tables: Sequence[str]) -> bool:
    for table in tables:
        name = sql.Identifier(table)
        tries = [sql.SQL("SELECT * FROM {} LIMIT 1").format(name)]
        if table != "score":
            tries.append(sql.SQL("UPDATE {} SET id = id WHERE id = 1").format(name))
        for text in tries:
            try:
                other.execute("SET LOCAL lock_timeout = 30")
                other.execute(text)
            except errors.LockNotAvailable:
                return True
            finally:
                other.rollback()
    return False
