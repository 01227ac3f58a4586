"""Compare the content of tables, and the schema, before and after a migration."""

from __future__ import annotations

from aiosqlc.analysis.watched.contents import Column, Contents
from aiosqlc.postgres.population import quoted
from aiosqlc.servers.postgres.connection import Connection

_COLUMNS = """
select n.nspname, c.relname, c.oid, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod)
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


def schema_of(connection: Connection) -> Schema:
    """Return the description of a database's schema."""
    return frozenset(connection.rows(_SCHEMA))


def contents(connection: Connection) -> dict[str, Contents]:
    """Return the content of every table; the order of rows does not matter."""
    columns: dict[tuple[str, int], dict[str, tuple[int, str]]] = {}
    for schema, name, oid, column, number, kind in connection.rows(_COLUMNS):
        named = f"{quoted(str(schema))}.{quoted(str(name))}"
        held = columns.setdefault((named, int(str(oid))), {})
        if column is not None:
            held[column] = int(str(number)), str(kind)
    found = {}
    for (table, number_of), numbers in columns.items():
        digests = [
            f"md5(string_agg(coalesce({quoted(n)}::text, '∅'), ','"
            f' order by {quoted(n)}::text collate "C"))'
            for n in numbers
        ]
        distinct = [f"count(distinct {quoted(n)}::text)" for n in numbers]
        ((count, *values),) = connection.rows(
            f"select {', '.join(['count(*)', *digests, *distinct])} from only {table}"  # noqa: S608 - quoted names
        )
        valued = {
            column: Column(number, values[at] or "", int(str(values[at + len(numbers)])), kind)
            for at, (column, (number, kind)) in enumerate(numbers.items())
        }
        found[_short(table)] = Contents(number_of, int(str(count)), valued)
    return found


def _short(table: str) -> str:
    return table.removeprefix('"public".').replace('"', "")
