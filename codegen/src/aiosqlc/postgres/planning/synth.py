"""Derive statistics from a schema and declared row counts, if there is no production database.

The plans depend on the values that are assumed where nothing is declared, so the documentation
(`plans.md`) states all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.planned.declared import Contradiction, ContradictionsError, Distribution
from aiosqlc.analysis.planned.pulled import Pulled
from aiosqlc.analysis.planned.statistics import ColumnStatistics, RelationSize, Statistics
from aiosqlc.postgres.planning.choices import choices
from aiosqlc.postgres.planning.contradictions import Bounds, Referenced, contradictions
from aiosqlc.postgres.planning.pull import names_of
from aiosqlc.postgres.planning.restore import literal
from aiosqlc.postgres.planning.sizes import BLOCK
from aiosqlc.servers.postgres.connection import Connection

UNDECLARED = 1000  # rows of a table whose size is not declared
_NULLS = 0.1  # of a column that may be NULL
_DISTINCT = -0.1  # other columns: one value on ten rows
_DAYS = 3650  # of a column of dates: ten years
_ROW_HEADER, _POINTER, _PAGE_HEADER = 24, 4, 24
_TEXT_WIDTH = 32
_GEOMETRIC, _UNSORTED = "G", frozenset({"json", "xml"})  # types without an order
_MOST_SCALED = 0.1  # more distinct values than that grow with the table

_TABLES = """
select c.oid::int8 as oid, n.nspname as schema, c.relname as name, c.relkind as kind,
       coalesce((select json_agg(json_build_object(
           'name', a.attname, 'number', a.attnum, 'kind', t.typtype, 'type', t.typname,
           'category', t.typcategory, 'of', t.typbasetype::regtype::text,
           'full', format_type(a.atttypid, a.atttypmod), 'length', a.attlen,
           'modifier', a.atttypmod, 'not_null', a.attnotnull or coalesce((
               with recursive domain as (
                   select t.typnotnull, t.typbasetype
                   union all
                   select d.typnotnull, d.typbasetype
                   from domain join pg_type d on d.oid = domain.typbasetype)
               select bool_or(typnotnull) from domain), false),
           'rising', a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid)
                     ~ '^(nextval|now|clock_timestamp|uuidv7|CURRENT_)',
           'labels', coalesce((select json_agg(e.enumlabel order by e.enumsortorder)
                               from pg_enum e where e.enumtypid = t.oid), '[]'))
           order by a.attnum)
         from pg_attribute a join pg_type t on t.oid = a.atttypid
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and c.relpersistence <> 't' and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
order by n.nspname, c.relname
"""
_KEYS = """
select i.indrelid::int8 as oid, i.indkey[0]::int as column
from pg_index i
where i.indisunique and i.indnkeyatts = 1 and i.indkey[0] > 0 and i.indpred is null
order by 1, 2
"""
# A key to a partitioned table has a constraint for each partition, too. `bounding` is whether the
# rows of the target bound the values: all rows were checked, and NULL in another column of the key
# does not exempt a row.
_REFERENCES = """
select conrelid::int8 as oid, confrelid::int8 as target, k.a::int as column, f.a::int as key,
       convalidated and (confmatchtype = 'f' or not exists (
           select from pg_attribute a
           where a.attrelid = conrelid and a.attnum = any(conkey) and a.attnum <> k.a
             and not a.attnotnull)) as bounding
from pg_constraint c, unnest(conkey) with ordinality k(a, n)
join lateral unnest(confkey) with ordinality f(a, m) on n = m
where contype = 'f' and not exists (
    select from pg_constraint p where p.oid = c.conparentid and p.conrelid = c.conrelid)
order by 1, 3, 2
"""
_PARTS = """
select inhrelid::int8 as oid, inhparent::int8 as target, 0 as column, 0 as key,
       false as bounding
from pg_inherits
"""


class _Column(Struct):
    name: str
    number: int
    kind: str
    type: str
    category: str
    of: str
    full: str
    length: int
    modifier: int
    not_null: bool
    rising: bool | None
    labels: list[str]

    @property
    def width(self) -> int:
        """Return the average width of a value in bytes, as the planner assumes it."""
        if self.length > 0:
            return self.length
        declared = self.modifier - 4
        return min(declared, _TEXT_WIDTH) if 0 < declared <= 2 * _TEXT_WIDTH else _TEXT_WIDTH


class _Table(Struct):
    oid: int
    schema: str
    name: str
    kind: str
    columns: list[_Column]


class _Key(Struct):
    oid: int
    column: int


class _Reference(Struct):
    oid: int
    target: int
    column: int
    key: int
    bounding: bool


class _Schema(Struct, frozen=True):
    """The properties of a schema that limit the number of distinct values of its columns."""

    tables: Mapping[int, _Table]
    rows: Mapping[int, float]
    unique: frozenset[tuple[int, int]]
    references: Mapping[tuple[int, int], tuple[int, int]]
    lists: Mapping[tuple[int, int], tuple[str, ...]]
    parents: Mapping[tuple[int, int], int]
    shares: Mapping[tuple[int, int], Distribution]
    undeclared: Sequence[str] = field(default=())


def synthesised(
    connection: Connection,
    declared: Mapping[tuple[str, str], int],
    columns: Mapping[tuple[str, str, str], Distribution],
) -> Pulled:
    """Return statistics for the schema of a database, from the number of rows of each table.

    `declared` has these numbers by schema and name. `columns` are declared distributions by schema,
    table and column. Raises `ContradictionsError` if one of the distributions is impossible.
    """
    schema = _read(connection, declared, columns)
    if found_wrong := tuple(_contradictions(schema, declared, columns)):
        raise ContradictionsError(found_wrong)
    sizes, found = [], []
    for table in schema.tables.values():
        rows = schema.rows[table.oid]
        pages = 0 if table.kind == "p" else _pages(table, rows)
        sizes.append(RelationSize(table.schema, table.name, pages, rows, pages))
        for column in table.columns:
            values = _statistics(schema, table, column)
            found.append(
                ColumnStatistics(table.schema, table.name, column.name, values, table.kind == "p")
            )
    notes = []
    if schema.undeclared:
        names = names_of(schema.undeclared)
        notes.append(f"the number of rows is not declared; {UNDECLARED} are assumed: {names}")
    return Pulled(Statistics("synthesised", (), tuple(sizes), tuple(found)), tuple(notes))


def _contradictions(
    schema: _Schema,
    declared: Mapping[tuple[str, str], int],
    columns: Mapping[tuple[str, str, str], Distribution],
) -> Iterator[Contradiction]:
    for table in schema.tables.values():
        for column in table.columns:
            at = (table.schema, table.name, column.name)
            if at not in columns:
                continue
            bounds = Bounds(
                schema.rows[table.oid],
                (table.schema, table.name) not in declared,
                column.not_null,
                (table.oid, column.number) in schema.unique,
                _allowed(schema, table, column),
                _referenced(schema, declared, (table.oid, column.number)),
            )
            one = schema.shares[table.oid, column.number]
            for found in contradictions(f"{table.name}.{column.name}", one, bounds):
                yield Contradiction(*at, *found)


def _referenced(
    schema: _Schema, declared: Mapping[tuple[str, str], int], at: tuple[int, int]
) -> Referenced | None:
    """Return the table to which all values of a column refer, or None."""
    if at not in schema.parents:
        return None
    target = schema.tables[schema.parents[at]]
    is_assumed = (target.schema, target.name) not in declared
    return Referenced(target.name, schema.rows[target.oid], is_assumed)


def _read(
    connection: Connection,
    declared: Mapping[tuple[str, str], int],
    columns: Mapping[tuple[str, str, str], Distribution],
) -> _Schema:
    tables = {table.oid: table for table in connection.decode(_TABLES, _Table)}
    parents = {item.oid: item.target for item in connection.decode(_PARTS, _Reference)}
    shares: dict[int, int] = {}
    for parent in parents.values():
        shares[parent] = shares.get(parent, 0) + 1
    rows: dict[int, float] = {}
    undeclared = []
    for oid, table in sorted(tables.items(), key=lambda item: item[0] in parents):
        own = declared.get((table.schema, table.name))
        parent = parents.get(oid, 0)
        if own is None and parent in rows:
            rows[oid] = rows[parent] // shares[parent]  # partitions of one size
            continue
        if own is None:
            undeclared.append(table.name)
        rows[oid] = float(UNDECLARED if own is None else own)
    references = connection.decode(_REFERENCES, _Reference)
    return _Schema(
        tables,
        rows,
        frozenset((key.oid, key.column) for key in connection.decode(_KEYS, _Key)),
        {(item.oid, item.column): (item.target, item.key) for item in references},
        choices(connection),
        _smallest(references, rows),
        _shares(connection, tables, parents, columns),
        sorted(undeclared),
    )


def _smallest(
    references: Sequence[_Reference], rows: Mapping[int, float]
) -> dict[tuple[int, int], int]:
    """Return, by table and column, the smallest table to which all values of the column refer."""
    found: dict[tuple[int, int], int] = {}
    for item in references:
        at = (item.oid, item.column)
        if item.bounding and rows[item.target] < rows.get(found.get(at, 0), math.inf):
            found[at] = item.target
    return found


def _shares(
    connection: Connection,
    tables: Mapping[int, _Table],
    parents: Mapping[int, int],
    columns: Mapping[tuple[str, str, str], Distribution],
) -> dict[tuple[int, int], Distribution]:
    """Return the declared distributions by table and column; a partition has those of its parent.

    The values are in the server's spelling. Raises `ContradictionsError` if a value does not fit
    the type of its column, or is declared twice.
    """
    found = {}
    wrong: list[Contradiction] = []
    for oid, table in tables.items():
        of = tables.get(parents.get(oid, 0), table)
        for column in table.columns:
            own = columns.get((table.schema, table.name, column.name))
            one = own or columns.get((of.schema, of.name, column.name))
            if one is None:
                continue
            place = f"{table.name}.{column.name}"
            spellings: dict[str, str] = {}
            texts = []
            for value, share in sorted(one.values, key=lambda pair: -pair[1]):
                text, why = _canonical(connection, value, column.full)
                said = f"`{value}` does not fit `{place}`: {why}" if why else ""
                if not why and text in spellings:
                    said = f"`{spellings[text]}` and `{value}` are the same value of `{place}`"
                if not said:
                    spellings[text] = value
                    texts.append((text, share))
                elif own:
                    at = (table.schema, table.name, column.name)
                    wrong.append(Contradiction(*at, "values", said))
            found[oid, column.number] = replace(one, values=tuple(texts))
    if wrong:
        raise ContradictionsError(tuple(wrong))
    return found


def _canonical(connection: Connection, value: str, kind: str) -> tuple[str, str]:
    """Return a value in the server's spelling, and an empty string.

    If the value does not fit the type, return an empty string and the server's error.
    """
    try:
        rows = connection.rows(f"select {literal(value)}::{kind}")
    except RuntimeError as error:
        return "", str(error)
    return str(rows[0][0]), ""


def _pages(table: _Table, rows: float) -> int:
    width = sum(column.width for column in table.columns)
    per_page = (BLOCK - _PAGE_HEADER) / (_ROW_HEADER + 8 * math.ceil(width / 8) + _POINTER)
    return math.ceil(rows / max(1.0, per_page))


def _statistics(schema: _Schema, table: _Table, column: _Column) -> tuple[tuple[str, str], ...]:
    rows = schema.rows[table.oid]
    declared = schema.shares.get((table.oid, column.number), Distribution())
    nulls = 0.0 if column.not_null else _NULLS
    nulls = declared.nulls if declared.nulls is not None else nulls
    shares = _frequencies(_choices(schema, table, column), declared, 1 - nulls)
    distinct = _distinct(schema, table.oid, column.number, ())
    if declared.distinct is not None:
        distinct = float(declared.distinct)
    found = {
        "null_frac": f"{nulls:g}",
        "avg_width": str(column.width),
        "n_distinct": _stored(max(distinct, len(shares)), rows, nulls),
    }
    if shares:
        found["most_common_vals"] = "{" + ",".join(_quoted(value) for value, _ in shares) + "}"
        found["most_common_freqs"] = "{" + ",".join(f"{share:.6g}" for _, share in shares) + "}"
    if column.category != _GEOMETRIC and column.type not in _UNSORTED:
        found["correlation"] = "1" if column.rising else "0"
    return tuple(found.items())


def _frequencies(
    choices: Sequence[str], declared: Distribution, there: float
) -> list[tuple[str, float]]:
    """Return the fraction of rows that have each value.

    Declared fractions are kept. The other values of `choices` share the rest equally.
    """
    known = dict(declared.values)
    others = [value for value in choices if value not in known]
    rest = max(0.0, there - sum(known.values()))
    shares = [*declared.values, *((value, rest / len(others)) for value in others)]
    return sorted((pair for pair in shares if pair[1] > 0), key=lambda pair: -pair[1])


def _choices(schema: _Schema, table: _Table, column: _Column) -> tuple[str, ...]:
    """Return all values that occur in a column, or () if they are unknown."""
    never = schema.shares.get((table.oid, column.number), Distribution()).never
    return tuple(value for value in _allowed(schema, table, column) if value not in never)


def _allowed(schema: _Schema, table: _Table, column: _Column) -> tuple[str, ...]:
    """Return all values that an enum, a boolean or a CHECK with a list allows, or () if unknown."""
    if listed := schema.lists.get((table.oid, column.number)):
        return listed
    if column.kind == "e":
        return tuple(column.labels)
    return ("t", "f") if column.type == "bool" else ()


def _distinct(schema: _Schema, oid: int, number: int, seen: tuple[tuple[int, int], ...]) -> float:
    """Return the number of distinct values of a column."""
    table = schema.tables[oid]
    rows = schema.rows[oid]
    if (oid, number) in schema.unique:
        return rows
    target = schema.references.get((oid, number))
    if target and target not in seen:
        return min(rows, _distinct(schema, *target, (*seen, (oid, number))))
    column = next(item for item in table.columns if item.number == number)
    if possible := _choices(schema, table, column):
        return float(len(possible))
    if column.type == "date":
        return min(rows, _DAYS)
    if column.type.startswith("timestamp") or column.type in {"json", "jsonb", "uuid"}:
        return rows
    return max(1.0, -_DISTINCT * rows)


def _stored(distinct: float, rows: float, nulls: float) -> str:
    """Return a number of distinct values as pg_stats has it: a negative fraction if it is large."""
    if rows and distinct > _MOST_SCALED * rows:
        return f"{-min(distinct / rows, 1 - nulls):g}"
    return f"{max(1, round(distinct))}"


def _quoted(text: str) -> str:
    """Return a text in the form in which the server prints it as an element of an array."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
