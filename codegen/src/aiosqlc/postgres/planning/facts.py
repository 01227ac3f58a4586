"""Read the indexes and foreign keys of a schema."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.analysis.planned.facts import Index, Reference
from aiosqlc.servers.postgres.connection import Connection

# The name of a relation as plans have it.
_NAME = (
    "case when {n}.nspname = 'public' then {c}.relname else {n}.nspname || '.' || {c}.relname end"
)
_TABLE, _CHILD, _PARENT = (
    _NAME.format(n=n, c=c) for n, c in (("n", "t"), ("cn", "c"), ("pn", "p"))
)
_INDEXES = f"""
select {_TABLE} as table, {_NAME.format(n="ni", c="c")} as name,
       (select json_agg(coalesce(a.attname, '') order by k.n)
        from unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality k(number, n)
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
             and k.number > 0) as columns,
       (select json_agg(pg_get_indexdef(i.indexrelid, k.n::int, true)
                        || case when o.opcdefault then '' else ' ' || o.opcname end
                        || case when l.oid in (0, coalesce(a.attcollation, l.oid)) then ''
                           else ' COLLATE ' || l.oid::regcollation end
                        || (array['', ' DESC NULLS LAST', ' NULLS FIRST', ' DESC'])[k.bits + 1]
                        order by k.n)
        from unnest(i.indkey[0:i.indnkeyatts - 1], i.indoption[0:i.indnkeyatts - 1],
                    i.indclass[0:i.indnkeyatts - 1], i.indcollation[0:i.indnkeyatts - 1])
             with ordinality k(number, bits, class, collate_as, n)
        join pg_opclass o on o.oid = k.class
        join lateral (select k.collate_as as oid) l on true
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
             and k.number > 0) as keys,
       coalesce(pg_get_expr(i.indpred, i.indrelid), '') as where, m.amname as method,
       (select count(*) from unnest(i.indkey[i.indnkeyatts:]))::int as included,
       i.indisunique as unique,
       exists (select from pg_constraint k where k.conindid = i.indexrelid) as needed
from pg_index i
join pg_class c on c.oid = i.indexrelid join pg_namespace ni on ni.oid = c.relnamespace
join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
join pg_am m on m.oid = c.relam
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and i.indisvalid
  and not c.relispartition
order by 1, 2
"""  # noqa: S608 - constants
_REFERENCES = f"""
select k.conname as name, {_CHILD} as child, {_PARENT} as parent,
       (select json_agg(a.attname order by u.n)
        from unnest(k.conkey) with ordinality u(number, n)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number) as columns,
       k.confdeltype in ('c', 'n', 'd') as cascades,
       format('select 1 from %s %s x where %s for key share of x',
              case when c.relkind = 'p' then '' else 'only' end, k.conrelid::regclass,
              (select string_agg(format('x.%I = $%s', a.attname, u.n), ' and ' order by u.n)
               from unnest(k.conkey) with ordinality u(number, n)
               join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number)) as check
from pg_constraint k
join pg_class c on c.oid = k.conrelid join pg_namespace cn on cn.oid = c.relnamespace
join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
where k.contype = 'f' and k.conparentid = 0
order by 2, 1
"""  # noqa: S608 - constants


class _Index(Struct):
    table: str
    name: str
    columns: list[str]
    keys: list[str]
    where: str
    method: str
    included: int
    unique: bool
    needed: bool


class _Reference(Struct):
    name: str
    child: str
    parent: str
    columns: list[str]
    cascades: bool
    check: str


def indexes_of(connection: Connection) -> tuple[Index, ...]:
    """Return the valid indexes of a schema, sorted by table and name."""
    return tuple(
        Index(
            item.table, item.name, tuple(item.columns), tuple(item.keys), item.where, item.method,
            item.unique, item.needed, item.included > 0,
        )
        for item in connection.decode(_INDEXES, _Index)
    )  # fmt: skip


def references_of(connection: Connection) -> tuple[Reference, ...]:
    """Return the foreign keys of a schema, sorted by the referring table and name."""
    return tuple(
        Reference(
            item.name, item.child, tuple(item.columns), item.parent, item.cascades, item.check
        )
        for item in connection.decode(_REFERENCES, _Reference)
    )
