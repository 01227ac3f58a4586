"""Observe the locks of a running session and the files of relations, from another connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from aiosqlc.analysis.watched.modes import Mode, mode_of
from aiosqlc.analysis.watched.observed import Relation
from aiosqlc.servers.postgres.connection import Connection

_RELATIONS = """
select c.oid, c.relname, coalesce(t.relname, c.relname),
       case when n.nspname <> 'public' then n.nspname end,
       coalesce(t.relkind, c.relkind) in ('r', 'p', 'v', 'S')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_index i on i.indexrelid = c.oid
left join pg_class t on t.oid = i.indrelid
where c.relkind in ('r', 'p', 'm', 'i', 'I', 'v', 'S')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""
_TABLES = """
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""
_LOCKS = """
select relation, mode, granted from pg_locks
where locktype = 'relation' and pid = $1
  and database = (select oid from pg_database where datname = current_database())
"""
_FILES = """
select coalesce(i.indrelid, c.oid), c.oid, c.relfilenode
from pg_class c left join pg_index i on i.indexrelid = c.oid
where c.relkind in ('r', 'm', 'i')
"""
_COUNTS = """
select relid, coalesce(seq_scan, 0), n_tup_upd + n_tup_del, n_tup_del
from pg_stat_xact_user_tables
"""

Locks = dict[tuple[int, Mode], bool]
"""The locks by relation and mode; the value is whether the lock is granted."""


def relations(connection: Connection) -> dict[int, Relation]:
    """Return the user's relations that the connection's session sees, by OID."""
    found = {}
    for oid, name, table, schema, written in connection.rows(_RELATIONS):
        of = f"{schema}." if schema else ""
        found[int(str(oid))] = Relation(
            int(str(oid)), f"{of}{name}", f"{of}{table}", written == "t"
        )
    return found


def locks(connection: Connection, session: int) -> Locks:
    """Return the locks that a session holds or waits for, read by `connection`, another session."""
    rows = connection.rows(_LOCKS, (str(session),))
    return {(int(str(oid)), mode_of(str(mode))): granted == "t" for oid, mode, granted in rows}


def files(connection: Connection) -> Mapping[int, tuple[int, int]]:
    """Return, by OID of each table and index, the table that it belongs to and its file."""
    rows = ([int(str(cell)) for cell in row] for row in connection.rows(_FILES))
    return {oid: (table, node) for table, oid, node in rows}


class Counts(NamedTuple):
    """The numbers of full scans, changed rows and deleted rows of a table in one transaction."""

    scans: int = 0
    changed: int = 0
    deleted: int = 0

    def since(self, before: Counts) -> Counts:
        """Return the counts minus earlier counts of the same table."""
        return Counts(*(now - then for now, then in zip(self, before, strict=True)))


def counts(connection: Connection) -> Mapping[int, Counts]:
    """Return the counts of each table in the current transaction."""
    rows = ([int(str(cell)) for cell in row] for row in connection.rows(_COUNTS))
    return {oid: Counts(*numbers) for oid, *numbers in rows}


def tables(connection: Connection) -> list[str]:
    """Return, in SQL syntax, the tables that a LOCK statement can name."""
    return [str(name) for (name,) in connection.rows(_TABLES)]
