"""Determine the size that each relation of a schema has, or will have, in production."""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.planned.statistics import RelationSize, Statistics
from aiosqlc.postgres.planning.shares import share_of, values_of
from aiosqlc.servers.postgres.connection import Connection

BLOCK = 8192
_RELATIONS = """
select c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, coalesce(t.relname, ''),
       coalesce(a.amname, ''), tn.nspname, pg_get_expr(i.indpred, i.indrelid)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_index i on i.indexrelid = c.oid
left join pg_class t on t.oid = i.indrelid
left join pg_namespace tn on tn.oid = t.relnamespace
left join pg_am a on a.oid = c.relam
where c.relkind in ('r', 'p', 'm', 'i', 'I') and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
order by c.oid
"""
_KEYS = """
select a.attrelid, coalesce(k.attname, ''),
       case when a.attlen > 0 then a.attlen when a.atttypmod between 5 and 132 then a.atttypmod - 4
       else 32 end
from pg_attribute a
join pg_index i on i.indexrelid = a.attrelid
left join pg_attribute k on k.attrelid = i.indrelid and k.attnum = i.indkey[a.attnum - 1]
     and k.attnum > 0
where a.attnum > 0
order by a.attrelid, a.attnum
"""
# A B-tree's leaf: 90 % of a page are filled. A row takes an item pointer and an aligned tuple.
_PAGE_HEADERS = 40
_FILLED = 0.9 * (BLOCK - _PAGE_HEADERS)
_HEADER, _POINTER, _TID = 8, 4, 6
_POSTING = 2704  # bytes of the longest list of equal keys
_INNER_FILLED = 0.7
# A BRIN index: pages of the table in one range, bytes of a range's summary, and its first pages.
_RANGE, _SUMMARY, _BRIN_FIXED = 128, 48, 2


class Sized(Struct, frozen=True):
    """A relation of the schema with its size in production.

    `oid` and `file` are its IDs in the schema's database; `file` is 0 if the relation has no file.
    `measured` is true if the size was read in production, and false if it was estimated from the
    size of the table. `height` is the number of levels above the leaves of a B-tree, or None for
    other relations.
    """

    oid: int
    file: int
    size: RelationSize
    measured: bool
    height: int | None = None


def sizes_of(connection: Connection, statistics: Statistics) -> tuple[Sized, ...]:
    """Return the relations with their sizes; a new index gets a size estimated from its table.

    A table that is not in the statistics is left out. The planner then assumes ten pages.
    """
    widths = _widths(connection)
    found = []
    for oid, schema, name, kind, file, table, method, home, where in connection.rows(_RELATIONS):
        known = statistics.sizes.get((str(schema), str(name)))
        keys = widths.get(int(str(oid)), [])
        is_tree = kind == "i" and method == "btree"
        of = statistics.sizes.get((str(home), str(table))) if table else None
        size = known
        if size is None and of is not None and kind == "i":
            if where:
                share = share_of(statistics, of, where)
                of = replace(of, pages=math.ceil(of.pages * share), rows=of.rows * share)
            pages = _pages(statistics, of, keys) if is_tree else _other_pages(str(method), of)
            size = RelationSize(str(schema), str(name), pages, of.rows)
        if size is not None:
            height = _height(size.pages, keys[0][1]) if is_tree and keys else None
            has_file = kind in {"r", "m", "i"}
            number = int(str(file)) if has_file else 0
            found.append(Sized(int(str(oid)), number, size, known is not None, height))
    return tuple(found)


def _widths(connection: Connection) -> dict[int, list[tuple[str, int]]]:
    """Return the columns of each index, each with its width in bytes."""
    found: dict[int, list[tuple[str, int]]] = {}
    for index, column, width in connection.rows(_KEYS):
        found.setdefault(int(str(index)), []).append((str(column), int(str(width))))
    return found


def _pages(statistics: Statistics, table: RelationSize, keys: list[tuple[str, int]]) -> int:
    """Estimate the number of pages of a B-tree index that production does not have yet."""
    rows = max(table.rows, 0.0)
    width, distinct = 0.0, 1.0
    for column, usual in keys:
        values = values_of(statistics, table, column)
        width += float(values.get("avg_width", usual))
        share = float(values.get("n_distinct", -1.0))
        distinct *= max(1.0, share if share > 0 else -share * rows)
    distinct = min(distinct, max(rows, 1.0))
    key = _HEADER + 8 * math.ceil(width / 8) + _POINTER
    equal = max(1.0, rows / distinct)
    # Equal keys are stored once for a list of row numbers.
    lists = max(1.0, equal * _TID / _POSTING)
    bytes_of_key = key * equal if equal < 2 else lists * key + equal * _TID
    return 1 + max(1, math.ceil(distinct * bytes_of_key / _FILLED))


def _other_pages(method: str, table: RelationSize) -> int:
    """Estimate the number of pages of an index that is not a B-tree, from the size of its table."""
    if method == "brin":
        ranges = math.ceil(table.pages / _RANGE)
        return _BRIN_FIXED + math.ceil(ranges * _SUMMARY / BLOCK)
    return max(1, math.ceil(table.pages / 4))


def _height(pages: int, width: int) -> int:
    """Return the number of levels above the leaf pages of a B-tree, from its number of pages.

    `width` is the width of the first key column. Further key columns are mostly cut off, because
    the server shortens keys to the part that distinguishes them.
    """
    most = (BLOCK - _PAGE_HEADERS) / (_HEADER + 8 * math.ceil(width / 8) + _POINTER)
    level, nodes = 0, pages - 1
    while nodes > 1:
        # A root is split when it is full. Each half then is filled again to the usual share.
        nodes = 1 if nodes <= most else math.ceil(nodes / (most * _INNER_FILLED))
        level += 1
    return level
