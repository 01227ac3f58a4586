"""A used PostgreSQL database made as it was: its rows put back, where its schema is still the same.

That takes a fraction of what dropping it and cloning another takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import psycopg
from psycopg import sql

# A database with a larger table is not used again: what is dead in it stays, and burdens the next.
_SMALL = 256 * 1024
_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = """
SELECT c.oid, n.nspname, c.relname, array(
    SELECT attname FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY c.oid
"""
# What every session has counted when it has ended: rows written, also by what was rolled back, and
# how often somebody has tidied up.
_COUNTS = """
SELECT oid,
    pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid)
        + pg_stat_get_tuples_deleted(oid),
    pg_stat_get_vacuum_count(oid) + pg_stat_get_analyze_count(oid)
FROM unnest(%s::oid[]) AS oid
"""
_SIZES = "SELECT oid, pg_relation_size(oid) FROM unnest(%s::oid[]) AS oid"
_SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value),
    last_value IS NOT NULL
FROM pg_sequences ORDER BY 1
"""
# What a schema, its rights and the planner's statistics are made of: whoever changes one of them
# leaves a row that is newer, or one row more or fewer.
_CATALOGS = (
    "pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_default_acl", "pg_depend",
    "pg_enum", "pg_event_trigger", "pg_extension", "pg_index", "pg_inherits", "pg_namespace",
    "pg_policy", "pg_proc", "pg_publication", "pg_rewrite", "pg_sequence", "pg_statistic",
    "pg_statistic_ext", "pg_trigger", "pg_type",
)  # fmt: skip
_OF_THE_DATABASE = """
SELECT count(s.setdatabase), sum(hashtext(concat(datconnlimit, datallowconn, datacl)))
FROM pg_database AS d LEFT JOIN pg_db_role_setting AS s ON s.setdatabase = d.oid
WHERE datname = current_database()
"""
_SCHEMA = " UNION ALL ".join(
    [
        *(f"SELECT count(*), max(xmin::text::bigint) FROM {name}" for name in _CATALOGS),  # noqa: S608 - names from above
        # ANALYZE and VACUUM overwrite these in place.
        "SELECT count(*), sum(reltuples)::bigint FROM pg_class",
    ]
)

Counts = dict[int, tuple[int, int]]  # by table: rows written, and VACUUM and ANALYZE run
Place = tuple[Any, ...]  # a sequence, its last value, and whether that has been given


class Table(msgspec.Struct, frozen=True):
    """A table and its rows, as COPY writes them."""

    oid: int
    name: sql.Identifier
    columns: sql.Composed
    rows: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """What a database was when it was new."""

    tables: tuple[Table, ...]
    sequences: tuple[Place, ...]
    catalogs: tuple[int, ...]
    schema: tuple[Any, ...]  # what changes when anything but rows does
    settings: tuple[Any, ...]  # of the database itself, which no catalog of its own has

    @property
    def counted(self) -> list[int]:
        """Return what is looked at for whether anything was written."""
        return [*self.catalogs, *(table.oid for table in self.tables)]


def snapshot(url: str) -> Snapshot:
    """Read a database that nobody has used; its clones are the same, down to the oids."""
    with psycopg.connect(url) as connection:
        tables = []
        for oid, schema, name, columns in connection.execute(_TABLES).fetchall():
            table = sql.Identifier(schema, name)
            listed = sql.SQL(", ").join(map(sql.Identifier, columns))
            copy = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(table, listed)
            with connection.cursor().copy(copy) as rows:
                tables.append(Table(oid, table, listed, b"".join(map(bytes, rows))))
        found = connection.execute("SELECT unnest(%s::regclass[])::oid", (list(_CATALOGS),))
        return Snapshot(
            tuple(tables),
            tuple(connection.execute(_SEQUENCES).fetchall()),
            tuple(oid for (oid,) in found.fetchall()),
            _schema(connection),
            _settings(connection),
        )


def reset(url: str, new: Snapshot, before: Counts) -> Counts | None:
    """End the sessions in a database and put its rows back.

    Only what has been written since `before`, which the last reset has returned, is looked at.
    Returns None where more than rows has changed.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_END_SESSIONS)
        counts = _counts(connection, new)
        changed = {oid for oid, count in counts.items() if count != before.get(oid, (0, 0))}
        tables = [table for table in new.tables if table.oid in changed]
        tidied = any(counts[table.oid][1] != before.get(table.oid, (0, 0))[1] for table in tables)
        if _settings(connection) != new.settings:
            return None
        if tidied or not changed.isdisjoint(new.catalogs):
            _drop_added(connection, {table.oid for table in new.tables})
            if _schema(connection) != new.schema:
                return None
        sizes = connection.execute(_SIZES, ([table.oid for table in tables],)).fetchall()
        if max((size for _, size in sizes), default=0) > _SMALL:
            return None
        _put_back(connection, tables)
        for name, last, is_called in set(connection.execute(_SEQUENCES)) ^ set(new.sequences):
            if (name, last, is_called) in new.sequences:
                connection.execute("SELECT setval(%s, %s, %s)", (name, last, is_called))
        if changed:
            connection.execute("SELECT pg_stat_force_next_flush()")
            return _counts(connection, new)
        return counts


def _put_back(connection: psycopg.Connection[Any], tables: Sequence[Table]) -> None:
    if not tables:
        return
    with connection.transaction():
        # Neither triggers nor foreign keys have a say.
        connection.execute("SET LOCAL session_replication_role = replica")
        for table in tables:
            connection.execute(sql.SQL("DELETE FROM {}").format(table.name))
            _fill(connection, table)


def _counts(connection: psycopg.Connection[Any], new: Snapshot) -> Counts:
    found = connection.execute(_COUNTS, (new.counted,)).fetchall()
    return {oid: (written, tidied) for oid, written, tidied in found}


def _drop_added(connection: psycopg.Connection[Any], known: set[int]) -> None:
    """Drop the tables that a test made for itself beside those of the schema."""
    for oid, schema, name, _ in connection.execute(_TABLES).fetchall():
        if oid not in known:
            # What else hangs on it stays, and the schema is not the same.
            with suppress(psycopg.errors.DependentObjectsStillExist):
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, name)))


def _schema(connection: psycopg.Connection[Any]) -> tuple[Any, ...]:
    return tuple(connection.execute(_SCHEMA).fetchall())


def _settings(connection: psycopg.Connection[Any]) -> tuple[Any, ...]:
    return tuple(connection.execute(_OF_THE_DATABASE).fetchall())


def _fill(connection: psycopg.Connection[Any], table: Table) -> None:
    copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table.name, table.columns)
    with connection.cursor().copy(copy) as rows:
        rows.write(table.rows)
