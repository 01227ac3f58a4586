"""Restore statistics with the functions of PostgreSQL 18."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace
from psycopg import pq

from aiosqlc.analysis.planned.statistics import KEYS, ColumnStatistics, RelationSize, Statistics
from aiosqlc.postgres.planning.pull import TEXTS
from aiosqlc.postgres.planning.sizes import Sized
from aiosqlc.servers.postgres.connection import Connection, server_error

_COLUMNS = """
select n.nspname, c.relname,
       case when c.relkind in ('i', 'I') then a.attnum::text else a.attname end
from pg_attribute a join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'm', 'i', 'I', 'f')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""
_EXPRESSIONS = """
select n.nspname, c.relname, k.n, tn.nspname, t.relname, a.attname,
       pg_get_indexdef(c.oid, k.n::int, true)
from pg_index i
join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class t on t.oid = i.indrelid join pg_namespace tn on tn.oid = t.relnamespace
join unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality k(number, n) on k.number = 0
join pg_attribute a on a.attrelid = t.oid and a.attnum > 0
where i.indexprs is not null and n.nspname !~ '^pg_'
order by 1, 2, 3
"""
_OF_EXPRESSION = frozenset({"null_frac", "avg_width", "n_distinct"})
_TEXT = re.compile(r"'(?:[^']|'')*'")
# Expressions with far fewer values than their columns, such as `length(name)` and `id % 10`.
_FEWER = re.compile(
    r"\bEXTRACT\(|\b\w*(?:length|size|typeof)\(|\b(?:date_part|mod|div|sign|cardinality|isfinite"
    r"|width_bucket|ascii|strpos)\(|\b(?:POSITION|CASE)\b| (?:%|/|&) "
)
_BOOLEAN = re.compile(r" (?:<|>|<=|>=|<>|=) |\b(?:IS|LIKE|NOT)\b")
_COARSE = re.compile(r"\bdate_trunc\('(?:week|month|quarter|year|decade|century|millennium)'")
_FEW = (("null_frac", "0"), ("avg_width", "8"), ("n_distinct", "10"))
_TWO = (("null_frac", "0"), ("avg_width", "1"), ("n_distinct", "2"))
_MOST_NAMES = 5


def restore(
    connection: Connection, statistics: Statistics, sizes: Sequence[Sized]
) -> tuple[str, ...]:
    """Restore statistics and the planner's settings; return notes about what is not restored."""
    refused: list[str] = []
    # Pages of indexes were written without a checksum.
    for setting in ("ignore_checksum_failure = on", "client_min_messages = warning", *TEXTS):
        connection.run(f"set {setting}")
    columns = [(str(a), str(b), str(c)) for a, b, c in connection.rows(_COLUMNS)]
    present = {(schema, relation) for schema, relation, _ in columns}
    absent = [
        f"{item.schema}.{item.name}"
        for item in statistics.relations
        if (item.schema, item.name) not in present
    ]
    there = set(columns)
    lost = [
        f"{item.relation}.{item.column}"
        for item in statistics.columns
        if (item.schema, item.relation) in present
        and (item.schema, item.relation, item.column) not in there
    ]
    connection.run("begin")
    for sized in sizes:
        refused += _run(connection, _relation_call(sized.size), f"the size of {sized.size.name}")
    for item in statistics.columns:
        if (item.schema, item.relation, item.column) in there:
            refused += _run(connection, _column_call(item), f"{item.relation}.{item.column}")
    for item in _of_expressions(connection, statistics):
        refused += _run(connection, _column_call(item), f"{item.relation}.{item.column}")
    connection.run("commit")
    for name, value in statistics.settings:
        refused += _run(connection, f"set {name} = {literal(value)}", f"the setting {name}")
    return (
        *_named("this schema does not have these tables or indexes", absent),
        *_named("the tables of this schema do not have these columns", lost),
        *refused,
    )


def _of_expressions(connection: Connection, statistics: Statistics) -> Iterator[ColumnStatistics]:
    """Yield statistics for each indexed expression without statistics.

    These are the statistics of the column that the expression reads, and of the column with the
    most distinct values if there are several. For example, `lower(email)` has about as many
    distinct values as `email`. An expression such as `id % 10` has far fewer: 10 are assumed. A
    condition such as `deleted_at IS NULL` has two.
    """
    known = {(item.schema, item.relation, item.column): item for item in statistics.columns}
    found: dict[tuple[str, str, str], list[ColumnStatistics]] = {}
    for row in connection.rows(_EXPRESSIONS):
        schema, index, number, home, table, column, text = map(str, row)
        of = known.get((home, table, column))
        expression = _TEXT.sub("''", text)
        reads = re.search(rf"(?<![\w$]){re.escape(column)}(?![\w$])", expression)
        if of and reads and (schema, index, number) not in known:
            if _FEWER.search(expression) or _COARSE.search(text):
                of = replace(of, values=_FEW)
            elif _BOOLEAN.search(expression):
                of = replace(of, values=_TWO)
            found.setdefault((schema, index, number), []).append(of)
    for (schema, index, number), columns in found.items():
        most = max(columns, key=lambda of: _distinct(of, statistics))
        values = tuple(pair for pair in most.values if pair[0] in _OF_EXPRESSION)
        yield ColumnStatistics(schema, index, number, values)


def _distinct(of: ColumnStatistics, statistics: Statistics) -> float:
    """Return the number of distinct values of a column."""
    share = float(dict(of.values).get("n_distinct", "0"))
    size = statistics.sizes.get((of.schema, of.relation))
    return share if share > 0 or size is None else -share * size.rows


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _run(connection: Connection, sql: str, what: str) -> Iterator[str]:
    """Run a statement, and yield a note if the server refuses it or warns."""
    warned: list[str] = []

    def keep(notice: pq.abc.PGresult) -> None:
        warned.append(server_error(notice).message)

    connection.on_notice(keep)
    connection.run("savepoint one")
    error = connection.run(sql)
    connection.run("rollback to one" if error else "release one")
    connection.on_notice(lambda _: None)
    if error is not None:
        warned.append(error.message)
    if warned:
        yield f"statistics not restored: {what}: {warned[0]}"


def _relation_call(size: RelationSize) -> str:
    pairs = {
        "relpages": (str(size.pages), "integer"),
        "reltuples": (repr(size.rows), "real"),
        "relallvisible": (str(size.visible), "integer"),
    }
    return _call("pg_restore_relation_stats", size.schema, size.name, pairs)


def _column_call(item: ColumnStatistics) -> str:
    number = item.column.isdecimal()
    pairs = {"attnum" if number else "attname": (item.column, "smallint" if number else "text")}
    pairs["inherited"] = ("true" if item.inherited else "false", "boolean")
    pairs |= {key: (text, KEYS[key]) for key, text in item.values}
    return _call("pg_restore_attribute_stats", item.schema, item.relation, pairs)


def _call(function: str, schema: str, relation: str, pairs: dict[str, tuple[str, str]]) -> str:
    named = {"schemaname": (schema, "text"), "relname": (relation, "text"), **pairs}
    written = ", ".join(
        f"{literal(key)}, {literal(text)}::{kind}" for key, (text, kind) in named.items()
    )
    return f"select pg_catalog.{function}({written})"


def _named(why: str, names: Sequence[str]) -> Iterator[str]:
    """Yield a note that the statistics of the relations or columns in `names` are not used."""
    names = list(dict.fromkeys(names))
    if names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield f"statistics are not used, because {why}: {', '.join(names[:_MOST_NAMES])}{more}"
