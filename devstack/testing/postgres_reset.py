"""A used PostgreSQL database made as it was: its rows put back, where its schema is still the same.

That takes a fraction of what dropping it and cloning another takes.
"""

from __future__ import annotations

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
        _OF_THE_DATABASE,
    ]
)


class Table(msgspec.Struct, frozen=True):
    """A table and its rows, as COPY writes them."""

    oid: int
    name: sql.Identifier
    columns: sql.Composed
    rows: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """What a database was when it was new."""

    tables: tuple[Table, ...]
    sequences: tuple[tuple[Any, ...], ...]
    schema: tuple[Any, ...]  # what changes when anything but rows does


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
        sequences = connection.execute(_SEQUENCES).fetchall()
        return Snapshot(tuple(tables), tuple(sequences), _schema(connection))


def reset(url: str, new: Snapshot) -> bool:
    """End the sessions in a database and put its rows back; False where more than rows changed."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_END_SESSIONS)
        _drop_added(connection, {table.oid for table in new.tables})
        if _schema(connection) != new.schema:
            return False
        oids = [table.oid for table in new.tables]
        sizes: dict[int, int] = dict(connection.execute(_SIZES, (oids,)).fetchall())
        if max(sizes.values(), default=0) > _SMALL:
            return False
        with connection.transaction():
            # Neither triggers nor foreign keys have a say.
            connection.execute("SET LOCAL session_replication_role = replica")
            for table in new.tables:
                if sizes[table.oid]:
                    connection.execute(sql.SQL("DELETE FROM {}").format(table.name))
                    _fill(connection, table)
            for name, last, is_called in set(connection.execute(_SEQUENCES)) ^ set(new.sequences):
                if (name, last, is_called) in new.sequences:
                    connection.execute("SELECT setval(%s, %s, %s)", (name, last, is_called))
    return True


def _drop_added(connection: psycopg.Connection[Any], known: set[int]) -> None:
    """Drop the tables that a test made for itself beside those of the schema."""
    for oid, schema, name, _ in connection.execute(_TABLES).fetchall():
        if oid not in known:
            # What else hangs on it stays, and the schema is not the same.
            with suppress(psycopg.errors.DependentObjectsStillExist):
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, name)))


def _schema(connection: psycopg.Connection[Any]) -> tuple[Any, ...]:
    return tuple(connection.execute(_SCHEMA).fetchall())


def _fill(connection: psycopg.Connection[Any], table: Table) -> None:
    copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table.name, table.columns)
    with connection.cursor().copy(copy) as rows:
        rows.write(table.rows)
