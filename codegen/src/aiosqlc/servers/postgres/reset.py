"""Reset a used database to the state of a new database, by undoing the writes.

The server counts the rows written to each table, and the blocks read of each sequence. A table or
sequence whose count has not changed is not reset.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import psycopg
from msgspec import Struct
from psycopg import sql

from aiosqlc.servers.postgres.snapshot import (
    Connection,
    Snapshot,
    Table,
    copying,
    places_of,
    schema_of,
    snapshot,
    tables_of,
)

__all__ = ["Connection", "Snapshot", "State", "open_database", "reset", "snapshot", "state_of"]
_FIRST = 150_000  # PostgreSQL 15: an ended session has reported its counts before it disappears
# Dead rows stay in a table until VACUUM, and slow down the next tests.
_GROWTH = 256 * 1024  # bytes
_PATIENCE = 10.0  # seconds until every other session must have ended
_CATALOGS, _TIDIED = -1, -2  # keys of sums, beside OIDs
_WRITTEN = (
    "pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid)"
    " + pg_stat_get_tuples_deleted(oid)"
)
_COUNTS = f"""
SELECT oid::int8, {_WRITTEN} FROM unnest(%(tables)s::oid[]) AS oid
UNION ALL
SELECT oid::int8, pg_stat_get_blocks_fetched(oid) FROM unnest(%(sequences)s::oid[]) AS oid
UNION ALL
SELECT {_CATALOGS}, sum({_WRITTEN}) FROM unnest(%(catalogs)s::oid[]) AS oid
UNION ALL
SELECT {_TIDIED}, sum(pg_stat_get_vacuum_count(oid) + pg_stat_get_analyze_count(oid))
FROM unnest(%(tables)s::oid[]) AS oid
"""  # noqa: S608 - constants
# The counts restart at 0 after a reset or a crash. ALTER DATABASE and similar
# statements write catalogs that all databases share.
_AROUND = """
SELECT (
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type IN ('client backend', 'walsender')
), array(SELECT gid FROM pg_prepared_xacts WHERE database = current_database()),
current_setting('track_counts') = 'on', ARRAY[
    d.oid::text, pg_stat_get_db_stat_reset_time(d.oid)::text, w.stats_reset::text,
    datconnlimit::text, datallowconn::text, datacl::text,
    array(SELECT s::text FROM pg_db_role_setting AS s WHERE setdatabase = d.oid ORDER BY 1)::text
]
FROM pg_database AS d CROSS JOIN pg_stat_wal AS w WHERE datname = current_database()
"""
_SIZES = "SELECT oid::int8, pg_relation_size(oid) FROM unnest(%s::oid[]) AS oid"


class State(Struct, frozen=True):
    """The server's counts of writes and reads, taken while a database had its original content."""

    counts: Mapping[int, int]
    around: tuple[str | None, ...]


def open_database(conninfo: str) -> Connection:
    """Connect to a database, with triggers and foreign keys disabled in the session.

    Raises `psycopg.Error`, also if the role is not a superuser.
    """
    options = (
        "-c session_replication_role=replica -c datestyle=ISO -c intervalstyle=postgres"
        " -c extra_float_digits=3 -c statement_timeout=60000 -c lock_timeout=10000"
        " -c idle_session_timeout=0"
    )
    return psycopg.connect(
        conninfo, autocommit=True, options=options, application_name="aiosqlc", prepare_threshold=0
    )


def state_of(connection: Connection, new: Snapshot) -> State:
    """Return the server's counts of writes and reads in a database with its original content."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    (row,) = connection.execute(_AROUND).fetchall()
    return State(_counts(connection, new), tuple(row[3]))


def reset(connection: Connection, new: Snapshot, before: State) -> State | None:
    """End all other sessions of a database, and undo their writes since the state `before`.

    Returns the new state, or None if the database must be replaced: something other than rows and
    sequences has changed, or a table has grown too much. Raises `psycopg.Error` if a statement
    fails.
    """
    if connection.info.server_version < _FIRST or _alone(connection) != before.around:
        return None
    counts = _counts(connection, new)
    changed = {oid for oid, count in counts.items() if count != before.counts[oid]}
    if _TIDIED in changed or (_CATALOGS in changed and not _same_schema(connection, new)):
        return None
    tables = [table for oid, table in new.tables.items() if oid in changed]
    if any(table.rows is None for table in tables) or _grown(connection, tables):
        return None
    if not changed:
        return before
    _put_back(connection, tables, _places(connection, new, changed))
    return State(_counts(connection, new), before.around)


def _alone(connection: Connection) -> tuple[str | None, ...] | None:
    """End all other sessions, which report their counts at their end.

    Return the settings before and after the counts. Return None if a session does not end or if
    nothing is counted.
    """
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        ((sessions, prepared, counted, around),) = connection.execute(_AROUND).fetchall()
        if not sessions and not prepared:
            return tuple(around) if counted else None
        for name in prepared:
            connection.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(name)))
        time.sleep(0.001)
    return None


def _counts(connection: Connection, new: Snapshot) -> dict[int, int]:
    oids = {
        "tables": list(new.tables),
        "sequences": list(new.sequences),
        "catalogs": list(new.catalogs),
    }
    return {oid: int(count or 0) for oid, count in connection.execute(_COUNTS, oids).fetchall()}


def _same_schema(connection: Connection, new: Snapshot) -> bool:
    """Drop tables that a test created, and return whether the schema is then the original one."""
    for oid, name in tables_of(connection).items():
        if oid not in new.tables:
            with suppress(psycopg.errors.DependentObjectsStillExist, psycopg.errors.UndefinedTable):
                connection.execute(sql.SQL("DROP TABLE {}").format(name))
    return schema_of(connection, new.catalogs) == new.schema


def _grown(connection: Connection, tables: Sequence[Table]) -> bool:
    if not tables:
        return False
    sizes: dict[int, int] = dict(
        connection.execute(_SIZES, ([table.oid for table in tables],)).fetchall()
    )
    return any(sizes[table.oid] > table.size + _GROWTH for table in tables)


def _places(
    connection: Connection, new: Snapshot, changed: set[int]
) -> Iterator[tuple[int, int, bool]]:
    """Yield each sequence whose value has changed, with its value in the new database."""
    read = {oid: name for oid, name in new.sequences.items() if oid in changed}
    for oid, place in places_of(connection, read).items():
        if place != new.places[oid]:
            yield oid, *new.places[oid]


def _put_back(
    connection: Connection, tables: Sequence[Table], places: Iterable[tuple[int, int, bool]]
) -> None:
    # The server publishes the counts of this transaction at its end.
    flush = "SELECT pg_stat_force_next_flush()"
    statements: list[sql.Composable] = [sql.SQL("BEGIN"), sql.SQL(flush)]
    setval = sql.SQL("SELECT setval({}::oid, {}, {})")
    statements += [setval.format(*map(sql.Literal, place)) for place in places]
    statements += [sql.SQL("DELETE FROM ONLY {}").format(table.name) for table in tables]
    filled = [table for table in tables if table.rows]
    statements += [] if filled else [sql.SQL("COMMIT")]
    connection.execute(sql.SQL("; ").join(statements), prepare=False)
    for table in filled:
        copy = copying(table.name, table.columns, "FROM STDIN")
        with connection.cursor().copy(copy) as rows:
            rows.write(table.rows or b"")
    if filled:
        connection.execute("COMMIT")
