"""The columns that are proved not null, and those that must not be."""

from __future__ import annotations

import pytest

from tests.postgres.asking import TABLES, answers, nullness

SCHEMA = (
    TABLES
    + """
create domain must as int not null;
create table d (id int primary key, m must, arr int[] not null, full_arr int[] not null
    check (array_position(full_arr, null) is null));
create table np (id int primary key, v int);
alter table np add constraint np_v not null v not valid;
create table parent (id int primary key, note text not null);
create table child () inherits (parent);
create table open_parent (id int, note text, constraint nn not null note no inherit);
create table open_child () inherits (open_parent);
create foreign data wrapper elsewhere;
create server there foreign data wrapper elsewhere;
create table spread (id int not null, note text not null) partition by list (id);
create foreign table spread_far partition of spread for values in (1) server there;
create type pair as (l int, r int);
create table checked (a int check (a is not null), b int check (b is not null) not enforced,
    c int check (c is not null or a > 0), d int check (d is not null) no inherit);
create table comp (id int primary key, p pair not null, r int4range not null);
create function strict_sum(x int, y int) returns int language sql immutable strict return x + y;
create function or_zero(x int) returns int language sql immutable return coalesce(x, 0);
create function nothing(x int) returns int language sql immutable
    return (select x where x > 100);
create function second(x int, y int default null) returns int language sql immutable return y;
create function opaque(x int) returns int language plpgsql immutable strict
    as $$ begin return null; end $$;
create function quoted_sum(x int, y int) returns int language sql strict as 'select x + $2';
create function quoted_last(x int) returns int language sql as $$
    select null::int; -- not the last
    select coalesce(x, 0) -- the last
$$;
create function quoted_none(x int) returns int language sql as 'select x where x > 100';
create function found_elsewhere(x int) returns int language sql set search_path = pg_catalog
    as 'select x';
create function any_of(x anyelement) returns anyelement language sql as 'select x';
create function rows_of(x int) returns table (y int) language sql strict
    as 'select x where x > 1';
create function maybe_rows(x int) returns setof int language sql as 'select x';
"""
)

CASES = {
    # what is written
    "insert into np (id, v) values (1, 5) returning v": "NN",
    "insert into np select id, id from a returning v": "NN",
    "update np set v = 1 returning v, old.v": "NN N",
    "update np set v = id where id = 1 returning new.v, upper(v::text)": "NN NN",
    "update np set id = 2 where v > 1 returning v": "NN",
    "update np set v = null where v > 1 returning v": "N",
    "insert into np values (1, 2) on conflict (id) do update set v = excluded.v returning v": "NN",
    "with w as (insert into np values (1, 2) returning v) select v from w": "NN",
    # constants that are compared
    "select nullif(cardinality(array_fill(0, array[9])), 1)": "NN",
    "select nullif(cardinality(array_fill(0, array[99999])), 1)": "N",  # too long to be asked for
    "select nullif('a', 'b'), nullif('a', 'a'), nullif(1.0, 2.5), nullif(true, null)": "NN N NN NN",
    "select nullif(date '2024-01-01', date '2024-01-02'), nullif('{1}'::int[], '{2}')": "N N",
    "select case 2 when 1 then null when 2 then 'x' end as a from a": "NN",
    "select scale(1.5), scale('NaN'::numeric), lower(int4range(1, 2)), lower(int4range(1, 1))":
        "NN N NN N",
    "select scale(case when bio = '' then 1.5 else 2 end), nullif(upper('a'), 'B') from a": "NN N",
    "select (array[array[1, 2]])[1][2], (array[1, 2])[case when bio = '' then 1 else 3 end] from a":
        "NN N",
    "select ('(1,)'::pair).l, ('(1,)'::pair).r": "NN N",
    # sets made of constants
    "select generate_series(1, 2), unnest(array[1, 2])": "NN NN",
    "select max(x) from generate_series(1, 2) x": "NN",
    "select max(x) from generate_series(2, 1) x": "N",
    # what a CHECK keeps out
    "select a, b, c, d from checked": "NN N N N",
    "select e.a from a left join checked e on e.a = a.id": "N",
    "select case when 'x' is distinct from 'x' then null else 1 end as a": "NN",
    # keys of groups
    "select case when name is not null then max(name) else '' end from a group by rollup (name)":
        "NN",
    "select name, array_agg(id) from a group by cube (name) having name is not null": "NN NN",
    # what is made in the query
    "select array_length(array_agg(id), 1), array_length('{{1}}'::int[], 2) from a group by id":
        "NN NN",
    "select lower(int4range(id, null)), upper(int4range(null, id)), upper(int4range(id, null))"
    " from a": "NN NN N",
    "select lower(concat(id, name)) from a": "NN",
    "select set_config('my.key', bio, true), pg_notify('c', bio) from a": "NN NN",
    "select jsonb_build_object('k', id) -> 'k', jsonb_build_object('k', bio) -> 'k' from a":
        "NN NN",
    "select jsonb_build_object('k', id) ->> 'k', jsonb_build_object('k', bio) ->> 'k' from a":
        "NN N",
    "select (jsonb_build_object('j', 1, 'k', id) -> 'k')::int from a": "NN",
    "select json_value(jsonb_build_object('k', id), '$.k' returning int),"
    " json_query(jsonb_build_object('k', bio), '$.k') from a": "NN NN",
    # elements, fields, documents
    "select (array_agg(name))[1], (array_agg(bio))[1] from a group by id": "NN N",
    "select (array_agg(name))[1] from a": "N",
    "select (array[id, 1])[2], (array[id, 1])[3] from a": "NN N",
    "select extract(year from now()), extract(dow from now())": "NN N",
    "select json_exists(to_jsonb(name), '$.a') from a": "NN",
    "select max(n) from (values (1), (2)) v (n)": "NN",
    "select bio from a limit 0": "NN",
    # joins
    "select b.title from a left join b on b.aid = a.id": "N",
    "select b2.title from a left join (b b1 join b b2 on b1.id = b2.id) on b1.aid = a.id": "N",
    "select s.title from a left join (select title, aid from b) s on s.aid = a.id": "N",
    "select b.title from a left join b on b.aid = a.id where b.x > 1": "NN",
    "select a.name from a full join b on b.aid = a.id": "N",
    "select a.name, b.title from a full join b on b.aid = a.id where b.x > 1": "N NN",
    "select id from a full join b using (id)": "NN",
    "select x from b full join (select x from b) s using (x)": "N",
    "select a.bio, b.x from a left join b on b.x = a.id where b.id = 1": "N NN",
    "select b.title, c.v from a left join b on b.aid = a.id left join c on c.bid = b.id"
    " where c.v > 0": "NN NN",
    "select b.title, c.v from a left join b on b.aid = a.id left join c on c.aid = a.id"
    " where c.v > 0": "N NN",
    "select b.* from a left join b on b.aid = a.id where b.* is not null": "NN NN NN NN NN",
    "select b.title from a left join b on b.aid = a.id where not (b.* is null)": "NN",
    "select b from a left join b on b.aid = a.id": "N",
    "select nullif('x', lower('y')) from a left join (b join c on nullif('x', lower('y')) is not"
    " null) on true": "N",
    "select q.k from (select id as k from a full join b using (id)) q full join"
    " (select x from b) s on s.x = q.k": "N",
    # set operations
    "select name from a union all select bio from a": "N",
    "select bio from a intersect select name from a": "NN",
    "select name from a except select bio from a": "NN",
    # expressions
    "select bio::varchar from a": "N",
    "select bio = 'x' from a": "N",
    "select (x > 1 and id > 0) from b": "N",
    "select not (x > 1) from b": "N",
    "select coalesce(bio, '-') from a": "NN",
    "select coalesce(bio, null::text) from a": "N",
    "select greatest(x, 0), least(x, null) from b": "NN N",
    "select upper(bio), upper(name) from a": "N NN",
    "select j ->> 'k', j -> 'k', j::text from a": "N N NN",
    "select substring(name from 'q') from a": "N",
    "select (j -> 'k')::int from a": "N",
    "select case when chr(233) = 'é' then 1 end": "N",
    "select to_char('infinity'::timestamp, 'YYYY'), extract(day from 'infinity'::date)": "N N",
    "select to_json(bio), to_json(name), row_to_json(a) from a": "N NN NN",
    "select concat(bio, bio), concat_ws(',', bio), concat_ws(bio, 'x'), format('%s', bio)"
    " from a": "NN NN N NN",
    "select current_schema, current_schema(), current_user": "N N NN",
    "select lower(r), r from comp": "N NN",
    "select (p).l, p from comp": "N NN",
    "select (a).name, (a).bio from a": "NN N",
    "select x is distinct from 1, x is null, (x > 1) is true from b": "NN NN NN",
    "select row(bio), array[bio] from a": "NN NN",
    "select bio in ('a', 'b'), name in ('a', null), name in ('a', 'b') from a": "N N NN",
    "select name = any (array(select bio from a)) from a": "N",
    "select name in (select bio from a), name in (select name from a) from a": "N NN",
    "select array_append(null, 1), array_cat(arr, null), arr[1], array_length(arr, 1)"
    " from d": "NN NN N N",
    # CASE
    "select case when x is not null then x else 0 end from b": "NN",
    "select case when x is null then 0 else x end from b": "NN",
    "select case when id > 1 then name end from a": "N",
    "select case x when 1 then x else 0 end from b": "NN",
    "select case when x > 1 or x < 0 then x else 0 end from b": "NN",
    "select case when x > 1 or id > 0 then x else 0 end from b": "N",
    "select case when not (x is null) then x else 0 end from b": "NN",
    "select case when name is null then bio else name end from a": "NN",
    "select case when x is not null then lag(x) over (order by id) else 0 end from b": "N",
    "select case when x is not null then first_value(x) over (order by id) else 0 end from b": "N",
    # WHERE
    "select bio from a where bio is not null": "NN",
    "select bio from a where bio = 'q'": "NN",
    "select bio from a where upper(bio) like 'q%'": "NN",
    "select bio from a where coalesce(bio = 'x', false)": "NN",
    "select bio from a where bio is not distinct from 'x'": "NN",
    "select bio from a where not (bio = any ($1))": "N",
    "select bio from a where bio = any ($1)": "NN",
    "select bio from a where bio not in ('x', 'y')": "NN",
    "select bio from a where bio in (select name from a)": "NN",
    "select bio from a where bio not in (select name from a)": "N",
    "select bio from a where bio = 'x' or name = 'y'": "N",
    "select bio from a where (bio = 'x') is not true": "N",
    "select bio from a where (bio = 'x') is not unknown": "NN",
    "select j ->> 'k' from a where j ->> 'k' is not null": "NN",
    "select nullif(random() < 0.5, true) from a where nullif(random() < 0.5, true) is"
    " not null": "N",
    "select x from b where x is not null and x is null": "NN",
    "select name from a where id is null": "NN",
    "select max(x) from b where id is null": "N",
    "select nullif($1::text, 'x'), count(*) from a where nullif($1::text, 'x') is not null": "N NN",
    # aggregates and windows
    "select sum(grp), count(*), array_agg(id) from a": "N NN N",
    "select sum(grp), array_agg(bio) from a group by name": "NN NN",
    "select max(x) from b group by aid": "N",
    "select sum(grp) filter (where bio is not null) from a group by name": "N",
    "select stddev(grp), var_pop(grp) from a group by name": "N NN",
    "select name from a group by rollup (name)": "N",
    "select name, sum(grp) from a group by grouping sets ((name), (name, id))": "NN NN",
    "select name, sum(grp) from a group by grouping sets ((name), ())": "N N",
    "select sum(grp) from a having count(*) > 0": "NN",
    "select max(x) from b having max(x) is not null": "NN",
    "select sum(x) over (partition by aid) from b": "N",
    "select sum(aid) over (partition by x order by id) from b": "NN",
    "select sum(aid) over (order by id rows between 2 preceding and 1 preceding) from b": "N",
    "select sum(aid) over (order by id rows between 1 preceding and 1 following) from b": "NN",
    "select first_value(aid) over (order by id rows between unbounded preceding and current row"
    " exclude current row) from b": "N",
    "select lag(grp, 1, 0) over (order by id), lag(grp) over (order by id) from a": "NN N",
    "select row_number() over (), ntile(2) over (order by id), nth_value(id, 2) over ()"
    " from a": "NN NN N",
    # subqueries, CTEs, functions in FROM
    "select (select title from b where b.aid = a.id limit 1) from a": "N",
    "select (select count(*) from b where b.aid = a.id) from a": "NN",
    "select (select max(id) from b), exists (select 1 from b), array(select x from b)": "N NN NN",
    "with w as (select b.title t from a left join b on b.aid = a.id) select t from w": "N",
    "with recursive r(n, m) as (select 1, 1 union all select n + 1, null from r where n < 3)"
    " select n, m from r": "NN N",
    "with recursive r(n, m) as (select 1, 1 union all select m, n from r where n < 3)"
    " select n, m from r": "NN NN",
    "with recursive r(n, m) as (select 1, null::int union all select m, n from r where n < 3)"
    " select n, m from r": "N N",
    "select name, title, note from va": "NN N N",
    "select a.id, x.title from a left join lateral"
    " (select title from b where b.aid = a.id limit 1) x on true": "NN N",
    "select k, v from jsonb_each($1) e(k, v)": "NN NN",
    "select k, v from jsonb_each_text($1) e(k, v)": "NN N",
    "select v, n from unnest(array[1, null]) with ordinality u(v, n)": "N NN",
    "select v from unnest(array[1, 2]) u(v)": "NN",
    "select x, y from rows from (generate_series(1, 3), generate_series(1, 2)) t(x, y)": "N N",
    "select generate_series(1, 3), 1": "NN NN",
    "select generate_series(1, 3), generate_series(1, 2)": "N N",
    "select unnest(arr), 1 from d": "N NN",
    "select unnest(full_arr) from d": "NN",
    "select c0, c1 from (values (1, 'x'), (2, null)) t(c0, c1)": "NN N",
    "select string_to_table('a', ','), 1": "NN NN",
    # declared facts that are weaker than they look
    "select m, id::must from d": "N NN",
    "select v from np": "N",
    "select note from parent": "NN",
    "select note from open_parent": "N",
    "select note from only open_parent": "NN",
    "insert into spread values (1, 'x') returning note": "N",
    "update spread set id = 1 returning note": "N",
    # functions of the user's
    "select strict_sum(1, x), strict_sum(1, id) from b": "N NN",
    "select or_zero(x), nothing(id), opaque(id) from b": "NN N N",
    "select second(x => id, y => x), second(y => x, x => id), second(y => id, x => x)"
    " from b": "N N NN",
    "select second(id) from b": "N",
    "select quoted_sum(x, 1), quoted_sum(id, 1), quoted_last(x) from b": "N NN NN",
    "select quoted_none(id), found_elsewhere(id), any_of(id) from b": "N N N",
    "select rows_of(x) from b": "NN",
    "select y from b, rows_of(b.x)": "NN",
    "select maybe_rows(x) from b": "N",
    "select maybe_rows(id) from b": "NN",
    "select r, t from b left join rows_of(b.id) r on true, maybe_rows(b.id) t": "N NN",
}  # fmt: skip


@pytest.mark.parametrize("sql", CASES)
def test_a_column_is_not_null_only_where_that_is_proved(sql: str) -> None:
    typed, _ = answers(SCHEMA, tuple(CASES))
    assert nullness(typed[sql]) == CASES[sql], typed[sql].columns[0].reasons


def test_the_server_accepts_every_case() -> None:
    _, problems = answers(SCHEMA, tuple(CASES))
    assert [p.message for p in problems] == []


def test_reasons_lead_from_the_column_to_the_cause() -> None:
    typed, _ = answers(SCHEMA, tuple(CASES))
    left = typed["select b.title from a left join b on b.aid = a.id"].columns[0]
    assert left.reasons == ("b.title is NULL where the LEFT JOIN finds no match",)
    upper = typed["select upper(bio), upper(name) from a"].columns[1]
    assert upper.reasons == (
        "a.name is NOT NULL [column-constraint]",
        "upper() without NULL arguments is not NULL [total-function]",
    )


ELEMENTS = {
    "select array[1, 2]": True,
    "select array[1, null]": False,
    "select array(select id from a)": True,
    "select array(select x from b)": False,
    "select array_agg(id) from a group by grp": True,
    "select array_agg(x) from b group by aid": False,
    "select full_arr from d": True,
    "select arr from d": False,
    "select s.full_arr from (select full_arr from d) s": True,
    "select '{1,NULL}'::int[]": False,
    "select (select full_arr from d limit 1)": True,
    "select (select arr from d limit 1)": False,
}


@pytest.mark.parametrize("sql", ELEMENTS)
def test_an_array_holds_values_only_where_that_is_proved(sql: str) -> None:
    typed, _ = answers(SCHEMA, tuple(ELEMENTS))
    assert typed[sql].columns[0].element_not_null is ELEMENTS[sql]
