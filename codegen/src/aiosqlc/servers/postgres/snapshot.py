"""Read the state of a new database: its rows, its sequences, and a fingerprint of its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import sql

_LARGE = 1 << 20  # bytes; the rows of a larger table are not copied
# Tables and materialized views. A trigger or a rule that fires ALWAYS would change other tables.
_TABLES = """
SELECT c.oid::int8, c.relkind::text = 'm', n.nspname, c.relname, pg_relation_size(c.oid),
    EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgenabled IN ('A', 'R'))
        OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND ev_enabled IN ('A', 'R')),
    array(
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        ORDER BY attnum
    )
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY c.oid
"""
_SEQUENCES = """
SELECT c.oid::int8, n.nspname, c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' ORDER BY c.oid
"""
# The planner's statistics are not a part of the schema, and autovacuum changes them at any time.
_CATALOGS = """
SELECT oid::int8, relname FROM pg_class
WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND NOT relisshared
    AND relname NOT IN ('pg_statistic', 'pg_statistic_ext_data')
ORDER BY relname
"""
# The server keeps the schemas of temporary tables after their sessions.
_LASTING = "WHERE nspname !~ '^pg_(toast_)?temp_'"

Connection = psycopg.Connection[tuple[Any, ...]]


class Table(Struct, frozen=True):
    """A table, with its rows as COPY writes them, or with None if the rows cannot be restored."""

    oid: int
    name: sql.Identifier
    columns: sql.Composable
    rows: bytes | None
    size: int


class Snapshot(Struct, frozen=True):
    """The state of a new database. Its copies by CREATE DATABASE have the same state and OIDs.

    `places` maps a sequence to its last value, and whether the sequence has already returned this
    value. `schema` is a value that differs after any change of the system catalogs.
    """

    tables: Mapping[int, Table]
    sequences: Mapping[int, sql.Identifier]
    places: Mapping[int, tuple[int, bool]]
    catalogs: Mapping[int, str]
    schema: tuple[Any, ...]


def snapshot(connection: Connection) -> Snapshot:
    """Return the state of a database that is not used yet."""
    catalogs: dict[int, str] = dict(connection.execute(_CATALOGS).fetchall())
    tables = {row[0]: _table(connection, *row) for row in connection.execute(_TABLES).fetchall()}
    names = connection.execute(_SEQUENCES).fetchall()
    sequences = {oid: sql.Identifier(schema, name) for oid, schema, name in names}
    return Snapshot(
        tables,
        sequences,
        places_of(connection, sequences),
        catalogs,
        schema_of(connection, catalogs),
    )


def tables_of(connection: Connection) -> dict[int, sql.Identifier]:
    """Return the tables that exist now, by OID, without materialized views."""
    found = connection.execute(_TABLES).fetchall()
    return {oid: sql.Identifier(schema, name) for oid, view, schema, name, *_ in found if not view}


def places_of(
    connection: Connection, sequences: Mapping[int, sql.Identifier]
) -> dict[int, tuple[int, bool]]:
    """Return the last value of each sequence, and whether the sequence has returned this value."""
    if not sequences:
        return {}
    # `pg_sequences` does not show a value that the sequence has not returned.
    each = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, last_value, is_called FROM {}").format(sql.Literal(oid), name)
        for oid, name in sequences.items()
    )
    found = connection.execute(each, prepare=False).fetchall()
    return {oid: (last, called) for oid, last, called in found}


def schema_of(connection: Connection, catalogs: Mapping[int, str]) -> tuple[Any, ...]:
    """Return each catalog's row count and newest transaction ID, which change with the catalog."""
    each = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT count(*), max(xmin::text::bigint) FROM {} {}").format(
            sql.Identifier("pg_catalog", name),
            sql.SQL(_LASTING if name == "pg_namespace" else ""),
        )
        for name in catalogs.values()
    )
    return tuple(connection.execute(each).fetchall())


def _table(
    connection: Connection,
    oid: int,
    view: bool,
    schema: str,
    name: str,
    size: int,
    fires: bool,
    columns: list[str],
) -> Table:
    table = sql.Identifier(schema, name)
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    if view or fires or size > _LARGE:
        return Table(oid, table, listed, None, size)
    if not size:
        return Table(oid, table, listed, b"", 0)
    with connection.cursor().copy(copying(table, listed, "TO STDOUT")) as rows:
        return Table(oid, table, listed, b"".join(map(bytes, rows)), size)


def copying(table: sql.Identifier, columns: sql.Composable, way: str) -> sql.Composed:
    """Return the COPY statement for the columns of a table; `way` is TO STDOUT or FROM STDIN."""
    return sql.SQL("COPY {} ({}) {}").format(table, columns, sql.SQL(way))
