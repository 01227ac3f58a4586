"""Statements about one rule each, which random choice would produce too rarely."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.queries import Generator

# {t} and {a} are a relation and its alias, {i} and {s} expressions over it, {w} a condition,
# {n} a number or a parameter.
_FORMS = (
    (
        "with recursive r as (select {n} as c0, 1 as c1 union all select r.c0 + 1, r.c1 from r"
        " where r.c0 < 3) select c0, c1 from r"
    ),
    (
        "with recursive r(c0, c1) as (select {i}, 1 from {t} {a} union select r.c0, r.c1 + 1 from r"
        " where r.c1 < 3) select c0, c1 from r"
    ),
    (
        "with recursive r as (select 1 as c0, 'x'::text as c1 union all select r.c0 + 1,"
        " nullif(r.c1, 'x') from r where r.c0 < {n}) select c0, c1 from r"
    ),
    "select u.n, u.c0 from {t} {a}, unnest(array[{i}, {n}]) with ordinality u(c0, n)",
    (
        "select u.n, u.c0 from {t} {a} left join unnest(array[1, {n}]) with ordinality u(c0, n)"
        " on u.n = {i}"
    ),
    "select e.t, e.j from {t} {a}, jsonb_each(jsonb_build_object('a', {i}, 'b', {s})) e(t, j)",
    "select e.t, e.j from {t} {a} left join jsonb_each_text('{{\"a\": null}}') e(t, j) on {w}",
    "select e.t, e.n from rows from (json_each('{{}}'), generate_series(1, {n})) e(t, j, n)",
    "select unnest(«list»::int[]) as c0, {i} as c1 from {t} {a}",
    "select («list»::int[])[1] as c0, array_append(«list»::int[], {i}) as c1 from {t} {a}",
    "select o.id, unnest(«list»::int[]) as c1 from t0 o where o.id = any («list»::int[])",
    "select l.c0 from {t} {a}, unnest(«list»::int[]) l(c0) where l.c0 = {i}",
    "select v.c0, v.c1 from (values ({n}, 'x'), (2, 'y')) v(c0, c1)",
    "select v.c0, v.c1 from {t} {a}, lateral (values ({i}, {s}), (1, null)) v(c0, c1)",
    "select {a} as c0, {a}::text as c1 from {t} {a}",
    "select o as c0 from {t} {a} left join {t} o on {w}",
    "select array_length(array[{i}, 1], 1) as c0, array_length(array[{i}], 2) as c1 from {t} {a}",
    "select array_upper('{{{{1,2}}}}'::int[], 2) as c0, array_length(array[{n}], {n}) as c1",
    "select {n} as c0 from t0 where id = {n} intersect select {i} from {t} {a}",
    "select id, k from t0 where id = {n} except select {i}, {n} from {t} {a}",
    "(select id from t0 where id = {n}) union (select id from t0 where id = {n})",
    "select id from t0 full join t1 using (id)",
    "select id, {a}.k from {t} {a} full join t0 using (id)",
    "select lower(int4range({i}, null)) as c0, upper(int4range(null, {n})) as c1 from {t} {a}",
    "select (select max(id) from t0) as c0, (select count(*) from {t} {a} where {w}) as c1",
    "select (select {i} from (values (1)) v(c)) as c0, (select id from t0 limit 1) from {t} {a}",
    "select array(select {i} from t0) as c0, array(select id from t0) as c1 from {t} {a}",
    "select distinct {i} as c0 from {t} {a}",
    "select unnest(string_to_array({s}, ',')) as c0, string_to_array({s}, 'i') from {t} {a}",
    "select string_to_array({s}, ',', 'i') as c0, regexp_split_to_array({s}, 'i') from {t} {a}",
    "select regexp_split_to_table({s}, 'i') as c0 from {t} {a}",
    "select generate_series(1, {i}) as c0, exists (select from t0 where {w}) from {t} {a}",
    "select {s} is distinct from {s} as c0 from {t} {a}",
    "select k, count(*) as c1 from t0 where k = {n} group by k",
    "select tableoid, ctid from t0",
    "select lag(id) over () as c0, sum(id) over (order by id) as c1 from t0",
    "select sure({i}) as c0, (coalesce({i}, 1)::positive)::int as c1 from {t} {a}",
    "select json_exists(to_jsonb({i}), '$') as c0 from {t} {a}",
    "select json_exists(jsonb_build_object('a', {i}), '$.a' false on error) as c0 from {t} {a}",
    "select unnest(array[{i}, {n}]::bigint[]) as c0, («list»::int[]::bigint[])[1] from {t} {a}",
)


def directed(generator: Generator) -> str:
    """Return one such statement; `«…»` stands for a parameter."""
    r = generator.r
    relation = r.choice(generator.schema.relations)
    alias = generator.alias()
    scope = {alias: relation.all_columns}
    text = r.choice(_FORMS)
    makers = {
        "t": lambda: relation.name,
        "a": lambda: alias,
        "i": lambda: generator.expr(scope, "int", 1),
        "s": lambda: generator.expr(scope, "text", 1),
        "w": lambda: generator.boolx(scope, 1),
        "n": lambda: r.choice(["1", "2", "3", generator.param("int")]),
    }
    parts = text.replace("{{", "\0").replace("}}", "\1").split("{")
    filled = parts[0] + "".join(makers[part[0]]() + part[2:] for part in parts[1:])
    return filled.replace("\0", "{").replace("\1", "}")
