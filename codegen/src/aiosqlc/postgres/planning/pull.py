"""Read the statistics of a production database; read no rows, and write nothing."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from msgspec import Struct

from aiosqlc.analysis.planned.pulled import Pulled, PullError
from aiosqlc.analysis.planned.statistics import (
    KEYS,
    SETTINGS,
    VALUES,
    ColumnStatistics,
    RelationSize,
    Statistics,
)
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError

Name = tuple[str, str]
_OLDEST = 14
_BLOCK = "8192"
_MOST_NAMES = 5
# The texts of values depend on these settings.
TEXTS = (
    "datestyle = 'ISO, MDY'",
    "intervalstyle = 'postgres'",
    "timezone = 'UTC'",
    "bytea_output = 'hex'",
    "extra_float_digits = 1",
)
_CAREFUL = (
    "default_transaction_read_only = on",
    "lock_timeout = '2s'",
    "statement_timeout = '60s'",
)
_OWN = """
select n.nspname, c.relname, c.relkind in ('i', 'I')
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'i', 'I') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""
_RELATIONS = """
select n.nspname, c.relname, coalesce(tn.nspname, ''), coalesce(t.relname, ''),
       case when c.relkind in ('p', 'I') then 0
            else pg_catalog.pg_relation_size(c.oid) / 8192 end,
       c.relpages, c.reltuples, c.relallvisible
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_index i on i.indexrelid = c.oid
left join pg_catalog.pg_class t on t.oid = i.indrelid
left join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
where c.relkind in ('r', 'p', 'm', 'i', 'I') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by n.nspname, c.relname
"""
_HIDDEN = """
select n.nspname, c.relname,
       exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0
               and not a.attisdropped
               and not pg_catalog.has_column_privilege(c.oid, a.attnum, 'select')),
       c.relrowsecurity and pg_catalog.row_security_active(c.oid)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') order by n.nspname, c.relname
"""
_COLUMNS = """
select s.schemaname, s.tablename,
       case when c.relkind in ('i', 'I') then a.attnum::text else s.attname end,
       s.inherited::text, {keys}
from pg_catalog.pg_stats s
join pg_catalog.pg_namespace n on n.nspname = s.schemaname
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = s.tablename
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = s.attname
where s.schemaname !~ '^pg_' and s.schemaname <> 'information_schema'
order by s.schemaname, s.tablename, a.attnum, s.inherited
"""
_EXTENDED = """
select s.stxname from pg_catalog.pg_statistic_ext s
join pg_catalog.pg_namespace n on n.oid = s.stxnamespace order by 1
"""


def pulled(uri: str, own: Connection, *, values: bool) -> Pulled:
    """Return the statistics of those tables and indexes that the schema's database `own` also has.

    `uri` is the address of the production database. With `values`, values of rows are also read:
    the most common values and the bounds of histograms. Raises `PullError` if the statistics cannot
    be read.
    """
    names = own.rows(_OWN)
    tables = {(str(schema), str(name)) for schema, name, is_index in names if is_index == "f"}
    indexes = {(str(schema), str(name)) for schema, name, is_index in names if is_index == "t"}
    try:
        with Connection(uri) as connection:
            return _pulled(connection, tables, indexes, values=values)
    except psycopg.ProgrammingError as error:
        said = str(error).strip()
        raise PullError(f"`--database` is not a connection string: {said}") from error
    except (ConnectionFailedError, RuntimeError) as error:
        raise PullError(f"cannot read the statistics: {' '.join(str(error).split())}") from error


def _pulled(
    connection: Connection,
    tables: set[Name],
    indexes: set[Name],
    *,
    values: bool,
) -> Pulled:
    if connection.major < _OLDEST:
        raise PullError(f"PostgreSQL {connection.release} is too old: {_OLDEST} or newer is needed")
    for setting in (*TEXTS, *_CAREFUL):
        connection.run(f"set {setting}")
    if connection.rows("show block_size") != [(_BLOCK,)]:
        raise PullError(
            "the page size of this server is not 8 KB, but the compiler plans with pages of 8 KB"
        )
    relations = _sizes(connection, tables, indexes)
    present = {(size.schema, size.name) for size in relations.sizes}
    if not present & tables:
        raise PullError(
            "the database has no table of this project's schema: check the URI, and whether the"
            " migrations were applied to this database"
        )
    _check_rights(connection, present & tables)
    statistics = Statistics(
        connection.release,
        tuple(_settings(connection)),
        relations.sizes,
        tuple(_columns(connection, present, values=values)),
        values,
    )
    return Pulled(statistics, tuple(_notes(connection, relations, tables - present)))


class _Sizes(Struct, frozen=True):
    sizes: tuple[RelationSize, ...]
    unknown_indexes: tuple[str, ...]
    uncounted: tuple[str, ...]


def _sizes(connection: Connection, tables: set[Name], indexes: set[Name]) -> _Sizes:
    """Return page and row counts as the planner computes them from the current file sizes."""
    found, unknown, uncounted = [], [], []
    for schema, name, home, table, now, pages, rows, visible in connection.rows(_RELATIONS):
        key = (str(schema), str(name))
        if table and (str(home), str(table)) in tables and key not in indexes:
            unknown.append(str(name))
        if key not in (indexes if table else tables):
            continue
        counted, today, count = int(str(pages)), int(str(now)), float(str(rows))
        if not table and count < 0 and today:
            uncounted.append(str(name))
        if counted > 0 and count >= 0 and today:
            count = float(round(count * today / counted))
        seen = min(int(str(visible)), today)
        found.append(RelationSize(*key, today if today or counted < 0 else counted, count, seen))
    return _Sizes(tuple(found), tuple(unknown), tuple(uncounted))


def _check_rights(connection: Connection, tables: set[Name]) -> None:
    """Raise `PullError` if the role may not read the statistics of some tables."""
    rows = connection.rows(_HIDDEN)
    mine = [row for row in rows if (str(row[0]), str(row[1])) in tables]
    unread = [str(name) for _, name, unreadable, _ in mine if unreadable == "t"]
    secured = [str(name) for _, name, _, active in mine if active == "t"]
    if unread:
        raise PullError(
            f"the role may not read {names_of(unread)}, so the server hides their statistics:"
            " grant SELECT, or the role pg_read_all_data"
        )
    if secured:
        raise PullError(
            f"row security applies to the role on {names_of(secured)}, so the server hides their"
            " statistics: use the owner of the tables, or a role with BYPASSRLS"
        )


def _settings(connection: Connection) -> Sequence[tuple[str, str]]:
    wanted = ", ".join(f"'{name}'" for name in SETTINGS)
    rows = connection.rows(
        "select name, pg_catalog.current_setting(name) from pg_catalog.pg_settings"  # noqa: S608 - constants
        f" where name in ({wanted})"
        " or (name like 'enable\\_%' and setting <> boot_val) order by name"
    )
    return [(str(name), str(value)) for name, value in rows]


def _columns(
    connection: Connection, present: set[Name], *, values: bool
) -> Sequence[ColumnStatistics]:
    known = {
        str(name)
        for (name,) in connection.rows(
            "select attname from pg_catalog.pg_attribute"
            " where attrelid = 'pg_catalog.pg_stats'::regclass"
        )
    }
    keys = [key for key in KEYS if key in known and (values or key not in VALUES)]
    sql = _COLUMNS.format(keys=", ".join(f"s.{key}::text" for key in keys))
    found = []
    for schema, relation, column, inherited, *texts in connection.rows(sql):
        if (str(schema), str(relation)) in present:
            pairs = tuple(
                (key, text) for key, text in zip(keys, texts, strict=True) if text is not None
            )
            place = (str(schema), str(relation), str(column))
            found.append(ColumnStatistics(*place, pairs, inherited == "true"))
    return found


def _notes(connection: Connection, sizes: _Sizes, missing: set[Name]) -> Sequence[str]:
    found = []
    if missing:
        absent = names_of(sorted(name for _, name in missing))
        found.append(
            "the database does not have these tables of the schema files, so they get no"
            f" statistics: {absent}"
        )
    if sizes.unknown_indexes:
        lacking = names_of(sizes.unknown_indexes)
        found.append(f"the schema files do not create these indexes of the database: {lacking}")
    if sizes.uncounted:
        never = names_of(sizes.uncounted)
        found.append(
            "ANALYZE never ran on these tables, so the planner guesses their number of rows: "
            f"{never}"
        )
    extended = [str(name) for (name,) in connection.rows(_EXTENDED)]
    if extended:
        found.append(f"extended statistics are not read: {names_of(extended)}")
    return found


def names_of(names: Sequence[str]) -> str:
    """Return a text with a few of the names, and the number of the others."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
