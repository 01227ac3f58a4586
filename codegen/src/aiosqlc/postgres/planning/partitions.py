"""Give a partition that production does not have yet the statistics of another partition."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.planned.statistics import VALUES, RelationSize, Statistics
from aiosqlc.servers.postgres.connection import Connection

# Rows that belong to no other partition say nothing about a new one.
_PARTITIONS = """
select n.nspname as schema, c.relname as name, h.inhparent::int8 as parent,
       coalesce((select json_agg(a.attname) from pg_partitioned_table p
                 join pg_attribute a on a.attrelid = h.inhparent
                      and a.attnum = any (p.partattrs::int2[])
                 where p.partrelid = h.inhparent), '[]') as keys
from pg_inherits h
join pg_class c on c.oid = h.inhrelid and c.relispartition and c.relkind = 'r'
join pg_namespace n on n.oid = c.relnamespace
where pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
order by n.nspname, c.relname
"""


class _Partition(Struct):
    schema: str
    name: str
    parent: int
    keys: list[str]


def with_new_partitions(
    connection: Connection, statistics: Statistics
) -> tuple[Statistics, tuple[str, ...]]:
    """Return the statistics, extended to partitions that only the schema has, and notes about them.

    A new partition gets the statistics of that partition of the same table which has the median
    number of rows, without the values of the partition key. If no partition has rows, the new one
    gets no statistics.
    """
    siblings: dict[int, list[RelationSize]] = {}
    new: list[_Partition] = []
    for partition in connection.decode(_PARTITIONS, _Partition):
        size = statistics.sizes.get((partition.schema, partition.name))
        if size is None:
            new.append(partition)
        elif size.rows > 0:
            siblings.setdefault(partition.parent, []).append(size)
    sizes, columns = list(statistics.relations), list(statistics.columns)
    notes = []
    for partition in new:
        mine = sorted(siblings.get(partition.parent, ()), key=lambda size: size.rows)
        if not mine:
            continue
        sibling = mine[(len(mine) - 1) // 2]
        sizes.append(replace(sibling, schema=partition.schema, name=partition.name))
        for item in statistics.columns:
            if (item.schema, item.relation) == (sibling.schema, sibling.name):
                known = _without_values(item.values, is_key=item.column in partition.keys)
                columns.append(
                    replace(item, schema=partition.schema, relation=partition.name, values=known)
                )
        notes.append(
            f"no statistics of the partition {partition.name}: those of {sibling.name} are used"
        )
    if not notes:
        return statistics, ()
    return replace(statistics, relations=tuple(sizes), columns=tuple(columns)), tuple(notes)


def _without_values(
    values: tuple[tuple[str, str], ...], *, is_key: bool
) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in values if not (is_key and pair[0] in VALUES))
