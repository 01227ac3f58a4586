"""Compare the content of tables, and the schema, before and after a migration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aiosqlc.postgres.population import quoted
from aiosqlc.servers.postgres.connection import Connection

_COLUMNS = """
select n.nspname, c.relname, c.oid, a.attname, a.attnum
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by 1, 2, 5
"""
# One row for each part of a schema, as text without OIDs.
_SCHEMA = """
select 'relation', c.relkind::text, c.oid::regclass::text, c.relpersistence::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'S') and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
union all
select 'column', a.attrelid::regclass::text, a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                 a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
from pg_attribute a join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'constraint', conrelid::regclass::text, conname,
       concat_ws(' ', pg_get_constraintdef(oid), convalidated)
from pg_constraint where conrelid <> 0 and contype <> 'n'
union all
select 'index', i.indrelid::regclass::text, i.indexrelid::regclass::text,
       concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
from pg_index i join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_'
union all
select 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
from pg_trigger where not tgisinternal
"""

Schema = frozenset[tuple[str | None, ...]]
"""A schema's description; queries behave the same on schemas with equal descriptions."""


class Column(NamedTuple):
    """A column: its number in the table, and a hash of all its values in any order."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a table: its OID, and the number of its rows."""

    oid: int
    rows: int
    columns: Mapping[str, Column]


def schema_of(connection: Connection) -> Schema:
    """Return the parts of a database's schema."""
    return frozenset(connection.rows(_SCHEMA))


def contents(connection: Connection) -> dict[str, Contents]:
    """Return the content of every table, regardless of the order of rows."""
    columns: dict[tuple[str, int], dict[str, int]] = {}
    for schema, name, oid, column, number in connection.rows(_COLUMNS):
        named = f"{quoted(str(schema))}.{quoted(str(name))}"
        held = columns.setdefault((named, int(str(oid))), {})
        if column is not None:
            held[column] = int(str(number))
    found = {}
    for (table, number_of), numbers in columns.items():
        digests = [
            f"md5(string_agg(coalesce({quoted(n)}::text, '∅'), ','"
            f' order by {quoted(n)}::text collate "C"))'
            for n in numbers
        ]
        ((count, *values),) = connection.rows(
            f"select {', '.join(['count(*)', *digests])} from only {table}"  # noqa: S608 - quoted names
        )
        valued = {
            column: Column(number, value or "")
            for (column, number), value in zip(numbers.items(), values, strict=True)
        }
        found[_short(table)] = Contents(number_of, int(str(count)), valued)
    return found


def lost(before: Mapping[str, Contents], after: Mapping[str, Contents]) -> tuple[str, ...]:
    """Return descriptions of the data that a migration's rollback did not restore."""
    found = []
    for table, held in before.items():
        now = after.get(table)
        if now is None:
            found.append(f"the table {table} and its rows")
            continue
        if now.rows < held.rows:
            found.append(f"rows of {table}")
            continue
        gone = [name for name in held.columns if name not in now.columns]
        other = [
            name
            for name, column in held.columns.items()
            if name in now.columns and now.columns[name].digest != column.digest
        ]
        found += [f"the values of {table}.{name}" for name in [*gone, *other]]
    return tuple(found)


def changed(
    old: Mapping[str, Contents], written: Mapping[str, Contents], after: Mapping[str, Contents]
) -> tuple[str, ...]:
    """Return descriptions of rows in `written` that a rollback changes in the tables of `old`.

    Tables and columns that the migration created go with the rollback, and are not included.
    """
    known = {held.oid: held for held in old.values()}
    now = {held.oid: (name, held) for name, held in after.items()}
    found = []
    for held in written.values():
        if held.oid not in known or held.oid not in now:
            continue
        name, last = now[held.oid]
        if last.rows < held.rows:
            found.append(f"rows of {name}")
            continue
        old_numbers = {column.number for column in known[held.oid].columns.values()}
        digests = {column.number: column.digest for column in held.columns.values()}
        found += [
            f"the values of {name}.{column}"
            for column, (number, digest) in last.columns.items()
            if number in old_numbers and digests.get(number, digest) != digest
        ]
    return tuple(found)


def gone(before: Mapping[str, Contents], after: Mapping[str, Contents]) -> tuple[str, ...]:
    """Return the tables, columns and rows that no longer exist; renamed ones still do."""
    later = {held.oid: held for held in after.values()}
    found = []
    for table, held in before.items():
        now = later.get(held.oid)
        if now is None:
            found.append(f"the table {table}")
            continue
        numbers = {column.number for column in now.columns.values()}
        dropped = [name for name, column in held.columns.items() if column.number not in numbers]
        found += [f"the column {table}.{name}" for name in dropped]
        found += [f"rows of {table}"] * (now.rows < held.rows)
    return tuple(found)


def _short(table: str) -> str:
    return table.removeprefix('"public".').replace('"', "")
