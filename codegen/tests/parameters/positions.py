"""Every place of a parameter in a statement: functions, operators, clauses.

A position is a text with `§` in the place of the parameter. The other parts are values of the types
in the server's catalog, so that only the type of the parameter is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aiosqlc.postgres.totality.samples import KINDS, POLYMORPHIC, SAMPLES
from aiosqlc.servers.postgres.connection import Connection

HERE = "§"
SCHEMA = """
create sequence a_sequence;
create type a_enum as enum ('low', 'high');
create type mood as enum ('sad', 'very happy');
create type pair as (a int, b text);
create domain percent as int check (value between 0 and 100);
create domain word as text not null;
create domain flat as int[];
create type floatrange as range (subtype = float8);
"""
# Types of the schema, and arrays, with values of theirs; beside those of the samples.
MADE: dict[str, list[str]] = {
    "mood": ["'sad'", "'very happy'"],
    "pair": ["'(1,a)'", "'(,\"x,y\")'"],
    "percent": ["7"],
    "word": ["'w'"],
    "flat": ["'{1,NULL}'"],
    "floatrange": ["'[1,2)'", "'empty'"],
    "mood[]": ["'{sad,NULL}'", "'{\"very happy\"}'"],
    "pair[]": ["'{\"(1,a)\"}'"],
    "percent[]": ["'{1,2}'"],
    "text[]": ["'{a,NULL}'", "'{}'"],
    "int4[]": ["'{1,NULL}'", "'{{1,2},{3,4}}'"],
    "uuid[]": ["'{6ba7b810-9dad-11d1-80b4-00c04fd430c8}'"],
    "timestamptz[]": ["'{2020-02-29 10:00+00}'"],
    "numeric[]": ["'{1.5,NaN}'"],
    "jsonb[]": ['\'{"{}","null"}\''],
    "bool[]": ["'{t,NULL}'"],
    "bytea[]": ["'{\"\\\\x00\"}'"],
    "date[]": ["'{2020-02-29}'"],
    "inet[]": ["'{10.0.0.1/8}'"],
    "interval[]": ["'{1 day}'"],
    "int4range[]": ["'{\"[1,5)\"}'"],
    "int2vector[]": ["'{1 2}'"],
}
_UNNAMED = frozenset({"cstring", "record"})
VALUES: dict[str, list[str]] = {
    **{k: v for k, v in SAMPLES.items() if k[0] != "_" and k not in _UNNAMED},
    "interval": ["'0'", "'1 day'", "'12:00:01.5'"],  # a timedelta has days and seconds
    **MADE,
}
"""Literals by type, with the type as in a cast."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place: its kind, a text with `§`, and whether a call of the text is harmless."""

    kind: str
    text: str
    callable: bool = False


def cast_name(kind: str) -> str:
    """Return a type as in a cast."""
    return '"char"' if kind == "char" else kind


def typed(kind: str, literal: str) -> str:
    """Return a literal of a type."""
    return f"{literal}::{cast_name(kind)}"


# --- functions and operators ----------------------------------------------------------------------

_FUNCTIONS = """
select p.proname, p.prokind, p.provolatile, p.proretset,
    array_to_string(array(select format('%s', t.typname) from unnest(p.proargtypes) with ordinality
        a(oid, n) join pg_type t on t.oid = a.oid order by n), ' '),
    coalesce(g.aggkind::text, ''), coalesce(g.aggnumdirectargs, 0), p.provariadic <> 0
from pg_proc p left join pg_aggregate g on g.aggfnoid = p.oid
where p.pronamespace = 'pg_catalog'::regnamespace and p.pronargs > 0
order by p.oid
"""
_OPERATORS = """
select o.oprname, coalesce(l.typname, ''), r.typname, p.provolatile
from pg_operator o left join pg_type l on l.oid = o.oprleft join pg_type r on r.oid = o.oprright
join pg_proc p on p.oid = o.oprcode
where o.oprnamespace = 'pg_catalog'::regnamespace order by o.oid
"""
# They are immutable and yet wait, or take all memory for an argument of a sample.
_NEVER_CALLED = frozenset({"repeat", "lpad", "rpad", "generate_series", "bit", "varbit"})


def of_functions(connection: Connection) -> Iterator[Position]:
    """Yield a position for each argument of each function of the server."""
    for name, kind, volatility, returns_set, arguments, agg, direct, variadic in connection.rows(
        _FUNCTIONS
    ):
        given = _given(str(arguments).split(" "))
        if given is None:
            continue
        harmless = volatility == "i" and returns_set == "f" and kind == "f"
        for at in range(len(given)):
            parts = [HERE if n == at else value for n, (_, value) in enumerate(given)]
            if variadic == "t":
                parts[-1] = f"variadic {parts[-1]}"
            call = _call(str(name), parts, str(kind), str(agg), int(str(direct)))
            yield Position(
                "aggregates" if kind == "a" else "functions",
                f"select ({call})::text" if harmless else f"select {call}",
                harmless and str(name) not in _NEVER_CALLED,
            )


def _call(name: str, parts: list[str], kind: str, agg: str, direct: int) -> str:
    function = f'pg_catalog."{name}"'
    if agg in {"o", "h"}:  # an ordered set: what comes behind the direct arguments is sorted
        ordered = ", ".join(parts[direct:]) or "1"
        return f"{function}({', '.join(parts[:direct])}) within group (order by {ordered})"
    return f"{function}({', '.join(parts)}){' over ()' if kind == 'w' else ''}"


def of_operators(connection: Connection) -> Iterator[Position]:
    """Yield a position for each operand of each operator of the server."""
    for sign, left, right, volatility in connection.rows(_OPERATORS):
        given = _given([name for name in (str(left), str(right)) if name])
        if given is None:
            continue
        for at in range(len(given)):
            parts = [HERE if n == at else value for n, (_, value) in enumerate(given)]
            if len(parts) == 1:
                parts = ["", *parts]
            yield Position(
                "operators",
                f"select ({parts[0]} operator(pg_catalog.{sign}) {parts[1]})::text",
                volatility == "i",
            )


def _given(types: list[str]) -> list[tuple[str, str]] | None:
    """Return for each argument its type and a value, or None if a type has no values."""
    found = []
    for name in types:
        if name in KINDS:
            value = POLYMORPHIC[0][KINDS[name]][-1]
            found.append((value.rpartition("::")[2], value))
        elif name in SAMPLES and name not in _UNNAMED:
            found.append((name, typed(name, SAMPLES[name][-1])))
        elif name in {"internal", "trigger", "cstring", "event_trigger"} or "handler" in name:
            return None
        else:
            found.append((name, f"null::pg_catalog.{cast_name(name)}"))
    return found


# --- clauses --------------------------------------------------------------------------------------

# `{t}` is the type, `{v}` a value of it, `{a}` an array of it where there is one.
_CLAUSES = {
    "cast": "select (§::{t})::text",
    "insert": "insert into held (v) values (§) returning v::text",
    "insert select": "insert into held (v) select § returning v::text",
    "insert rows": "insert into held (v) values ({v}), (§) returning v::text",
    "update": "update held set v = § returning v::text",
    "update row": "update held set (v, n) = (§, 1) returning v::text",
    "on conflict": "insert into held (n, v) values (1, {v})"
    " on conflict (n) do update set v = § returning v::text",
    "merge": "merge into held using (select 1 as one) s on held.n = s.one"
    " when matched then update set v = § when not matched then insert (n, v) values (9, §)"
    " returning held.v::text",
    "coalesce": "select coalesce(§, v)::text from held",
    "case then": "select (case when n > 0 then § else v end)::text from held",
    "union": "select v::text from held union all select (select § from held where v is null)::text",
    "array constructor": "select array[v, §]::text from held",
    "sub-select": "select (select v from held where n = 1 and § is not distinct from v)::text",
    "from values": "select x::text from (values ({v}), (§)) as t (x)",
    "unnest": "select x::text from unnest({a}) as t (x)",
    "array any": "select count(*)::text from held where v = any ({a})",
    "slice": "select count(*)::text from held where v <> all ({a})",
}
_COMPARED = {
    "equal": "select n::text from held where v = § order by n",
    "reversed": "select n::text from held where § = v order by n",
    "unequal": "select n::text from held where v <> § order by n",
    "distinct": "select n::text from held where v is distinct from § order by n",
    "in": "select n::text from held where v in (§, {v}) order by n",
    "not in": "select n::text from held where v not in (§, {v}) order by n",
    "nullif": "select nullif(v, §)::text from held",
    "case when": "select (case v when § then 1 else 2 end)::text from held",
    "row": "select n::text from held where (v, n) = (§, 1) order by n",
    "having": "select v::text from held group by v having v = §",
    "join": "select a.n::text from held a join held b on a.n = b.n and a.v = § order by a.n",
    "filter": "select count(*) filter (where v = §)::text from held",
}
_ORDERED = {
    "less": "select n::text from held where v < § order by n",
    "at least": "select n::text from held where v >= § order by n",
    "between": "select n::text from held where v between § and {v} order by n",
    "greatest": "select greatest(v, §)::text from held",
    "row less": "select n::text from held where (v, n) > (§, 0) order by n",
}
_ALONE = {  # these take one type of their own
    "limit": "select n::text from held order by n limit §",
    "offset": "select n::text from held order by n offset §",
    "fetch": "select n::text from held order by n fetch first (§) rows only",
    "where": "select n::text from held where § order by n",
    "and": "select n::text from held where n > 0 and § order by n",
    "not": "select n::text from held where not § order by n",
    "case condition": "select (case when § then 1 else 2 end)::text",
    "is true": "select (§ is true)::text",
    "like": "select ('abc' like §)::text",
    "ilike escape": "select ('abc' ilike 'a%' escape §)::text",
    "similar": "select ('abc' similar to §)::text",
    "regular": "select ('abc' ~ §)::text",
    "concat": "select 'abc' || §",
    "substring": "select substring('abcdef' from §)",
    "substring for": "select substring('abcdef' from 2 for §)",
    "overlay": "select overlay('abcdef' placing § from 2)",
    "position": "select position(§ in 'abc')::text",
    "trim": "select trim(both § from 'xabcx')",
    "extract": "select extract(year from date '2020-02-29' + §)::text",
    "zone": "select (timestamptz '2020-02-29 10:00+00' at time zone §)::text",
    "collate": 'select (§ collate "C")',
    "subscript": "select ((array[1, 2, 3])[§])::text",
    "slice of an array": "select ((array[1, 2, 3])[§:2])::text",
    "series": "select x::text from generate_series(1, §) as t (x)",
    "rows before": "select sum(n) over (order by n rows § preceding)::text from held",
    "range before": "select sum(n) over (order by n range § preceding)::text from held",
    "ntile": "select ntile(§) over (order by n)::text from held",
    "lag": "select lag(n, §) over (order by n)::text from held",
    "sample": "select count(*)::text from held tablesample bernoulli (§) repeatable (1)",
    "json member": "select (jsonb '{\"a\": [1, 2]}' -> §)",
    "json path": "select (jsonb '{\"a\": 1}' #>> §)",
    "json has": "select (jsonb '{\"a\": 1}' ? §)::text",
    "json contains": "select (jsonb '{\"a\": 1}' @> §)::text",
    "json object": "select json_build_object('a', §::int)::text",
    "json value": "select json_value(jsonb '{\"a\": 1}', §)",
    "json passing": "select json_query(jsonb '[1, 2, 3]', '$[*] ? (@ == $x)' passing §::int as x)",
    "named": "select make_interval(days => §)::text",
    "match": "select (to_tsvector('fat cats') @@ to_tsquery(§))::text",
    "interval": "select (interval '1 day' * §)::text",
    "overlaps": "select ((date '2020-01-01', date '2020-02-01') overlaps (§, date '2021-01-01'))",
    "composite": "select ((row(1, §::text))::pair)::text",
    "cube": "select sum(n)::text from held group by cube (n > §)",
    "values": "select t.x::text from (values (1, §::text)) as t (n, x)",
    "recursive": "with recursive r (n) as (select 1 union all select n + 1 from r where n < §)"
    " select n::text from r",
    "lateral": "select l.x::text from held, lateral (select n + § as x) l",
    "function body": "select f.x::text from round(1.2345, §) as f (x)",
}


def of_clauses(connection: Connection) -> Iterator[Position]:
    """Yield each clause with a parameter of each type; clauses with a fixed type come last."""
    for kind, literals in VALUES.items():
        array = f"{kind}[]" if _has_array(connection, kind) else ""
        value = typed(kind, literals[0])
        for name, clause in {**_CLAUSES, **_COMPARED, **_ORDERED}.items():
            if "{a}" in clause and not array:
                continue
            if not _works(connection, kind, clause):
                continue
            text = clause.replace("{t}", cast_name(kind)).replace("{v}", value)
            text = text.replace("{a}", f"§::{cast_name(kind)}[]")
            yield Position(name, text.replace("held", table_of(kind)), True)
    for name, text in _ALONE.items():
        yield Position(name, text.replace("held", "alone"), True)


def tables() -> str:
    """Return the tables for the clauses: one for each type, with its values."""
    found = [
        "create table alone (n int primary key); insert into alone select generate_series(0, 4);"
    ]
    for kind, literals in VALUES.items():
        rows = ", ".join(f"({n}, {typed(kind, text)})" for n, text in enumerate(literals))
        name = table_of(kind)
        found.append(
            f"create table {name} (n int generated by default as identity primary key,"
            f" v {cast_name(kind)});\ninsert into {name} (n, v) values {rows};"
            f" select setval(pg_get_serial_sequence('{name}', 'n'), 100);"
        )
    return "\n".join(found)


def table_of(kind: str) -> str:
    """Return the table with values of a type."""
    return "held_" + kind.strip('"').replace("[]", "_list")


def _has_array(connection: Connection, kind: str) -> bool:
    return not kind.endswith("[]") and connection.run(f"select null::{cast_name(kind)}[]") is None


def _works(connection: Connection, kind: str, clause: str) -> bool:
    """Return whether a type supports a clause, for example by an equality, with a literal in it."""
    text = clause.replace("{t}", cast_name(kind))
    literal = typed(kind, VALUES[kind][0])
    text = text.replace("{a}", f"array[{literal}]").replace("§", literal).replace("{v}", literal)
    return connection.run(f"explain {text.replace('held', table_of(kind))}") is None
