"""Row counts: keys of every kind, and everything that makes a key insufficient."""

from __future__ import annotations

import pytest
from aiosqlc.ir import Cardinality

from tests.postgres.asking import TABLES, answers

SCHEMA = (
    TABLES
    + """
create table k (id int primary key, email text not null, tenant int not null, active bool not null,
    deleted_at timestamptz, late int unique deferrable, amount numeric unique, day timestamp
    unique);
create unique index on k (lower(email));
create unique index k_active on k (tenant) where active;
create unique index k_live on k (email) where deleted_at is null;
create table loose (id int not null, v numeric, unique nulls not distinct (id));
create collation nocase (provider = builtin, locale = 'C.UTF-8');
create table parent (id int primary key);
create table child () inherits (parent);
create table part (id int, k int, primary key (id)) partition by range (id);
create table part1 partition of part for values from (0) to (10);
create table skipping (id int primary key, v int);
create function skip() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger skip before insert on skipping for each row execute function skip();
create view k_view as select id, email, count(*) over () n from k;
create table jobs (id int primary key, state text not null);
"""
)

CASES = {
    # keys
    "select * from a where id = $1": "zero_or_one",
    "select * from a where id = $1 or id = $2": "many",
    "select * from a where id > $1": "many",
    "select * from a where id in ($1, $2)": "many",
    "select * from a where id = any ($1)": "many",
    "select * from a where grp = $1": "many",
    "select * from c where bid = $1 and v = $2": "zero_or_one",
    "select * from c where bid = $1": "many",
    "select * from a where id = (select max(id) from a)": "zero_or_one",
    "select * from a where id = (select id from b limit 1)": "zero_or_one",
    "select * from a where id = (select b.id from b where b.aid = a.grp limit 1)": "many",
    "select * from a where id = floor(random() * 10)::int": "many",
    "select * from a where id::text = $1": "many",
    "select * from k where lower(email) = $1": "zero_or_one",
    "select * from k where upper(email) = $1": "many",
    "select * from k where tenant = $1 and active": "zero_or_one",
    "select * from k where tenant = $1 and active = true": "zero_or_one",
    "select * from k where tenant = $1 and not active": "many",
    "select * from k where email = $1 and deleted_at is null": "zero_or_one",
    "select * from k where email = $1": "many",
    "select * from k where late = $1": "many",
    "select * from k where amount = $1": "zero_or_one",
    "select * from k where day = $1::timestamp": "zero_or_one",
    "select * from k where day = $1::timestamptz": "many",
    "select * from parent where id = $1": "many",
    "select * from only parent where id = $1": "zero_or_one",
    "select * from part where id = $1": "zero_or_one",
    "select * from k_view where id = $1": "zero_or_one",
    "select * from (select id, name from a) s where s.id = $1": "zero_or_one",
    "select * from (select grp, count(*) from a group by grp) s where s.grp = $1": "zero_or_one",
    "select * from (select id from a union all select id from b) s where s.id = $1": "many",
    # joins
    "select * from a join b on b.id = a.grp where a.id = $1": "zero_or_one",
    "select * from a join b on b.aid = a.id where a.id = $1": "many",
    "select * from a join b on b.aid = a.id and b.title = $2 where a.id = $1": "zero_or_one",
    "select * from a left join b on b.id = a.grp where a.id = $1": "zero_or_one",
    "select * from a left join b on b.id = $1": "many",
    "select * from a full join b on b.id = a.id where a.id = $1 and b.id = $1": "many",
    "select a.id, s.n from a cross join lateral (select count(*) n from b where b.aid = a.id) s"
    " where a.id = $1": "zero_or_one",
    "select * from a cross join lateral (select a.id as k, a.name) x where x.k = $1": "zero_or_one",
    "select * from a cross join lateral (select a.grp as k) x where x.k = $1": "many",
    "select * from a cross join lateral (select a.id + 1 as k) x where x.k = $1": "many",
    "select * from a cross join lateral (select a.id as k union select 1) x where x.k = $1": "many",
    "select * from a cross join lateral (select a.id as k) x cross join lateral (select x.k) y"
    " where y.k = $1": "zero_or_one",
    "select * from a cross join lateral (select a.id as k, generate_series(1, 2)) x"
    " where x.k = $1": "many",
    "select * from a left join lateral (select a.id as k) x on a.grp > 1 where x.k = $1": (
        "zero_or_one"
    ),
    "select * from a left join lateral (select a.id as k) x on x.k = $1": "many",
    "select distinct x.k from a cross join b left join lateral (select a.id as k) x on b.id > 1"
    " where a.id = $1": "many",
    "select distinct x.k from b left join a on a.id = 1 cross join lateral (select a.id as k) x": (
        "many"
    ),
    "select x.k from a cross join lateral (select a.id as k from b group by rollup (a.id)) x"
    " where x.k = $1": "many",
    "select distinct x.title from a cross join lateral"
    " (select title from b where b.aid = a.id limit 1) x": "many",
    "select distinct b.x from a left join b on b.id = $1": "many",
    "select distinct amount from k where amount = $1 and tenant > 0": "zero_or_one",
    "select distinct amount::text from k where amount = $1": "zero_or_one",
    "select distinct v::text from loose where v = $1": "many",
    "select distinct v from loose where v = $1": "zero_or_one",
    "select count(*) from c group by bid having bid = 1": "many",
    "select bid, count(*) from c where bid = 1 group by bid": "zero_or_one",
    # shapes
    "select 1": "one",
    "select 1 where $1::bool": "zero_or_one",
    "select count(*) from a": "one",
    "select count(*) from a having count(*) > 1": "zero_or_one",
    "select count(*) from a group by ()": "one",
    "select grp, count(*) from a group by rollup (grp)": "some",
    "select count(*) from a limit 1": "one",
    "select count(*) from a limit 0": "zero_or_one",
    "select count(*) from a offset 1": "zero_or_one",
    "select * from a limit 1": "zero_or_one",
    "select * from a order by id fetch first 1 row with ties": "many",
    "select * from a limit $1": "many",
    "select generate_series(1, 3)": "many",
    "select x from generate_series(1, 3) x": "some",
    "select x from generate_series(3, 1) x": "many",
    "select * from (values (1), (2)) v": "some",
    "select * from (values (1)) v": "one",
    "select * from (values (1)) v left join a on a.id = 1": "one",
    "select * from now()": "one",
    "select 1 union select 2": "some",
    "select id from a where id = 1 intersect select id from b": "zero_or_one",
    "select id from a where id = 1 except select id from b": "zero_or_one",
    "with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) select"
    " * from r": "some",
    # writes
    "insert into a (id, name, grp) values ($1, $2, $3) returning id": "one",
    "insert into a (id, name, grp) values (1, 'x', 1), (2, 'y', 2) returning id": "some",
    "insert into a (id, name, grp) values (generate_series(1, 2), 'x', 1) returning id": "many",
    "insert into a (id, name, grp) select id, title, 1 from b where id = $1 returning"
    " id": "zero_or_one",
    "insert into a (id, name, grp) values ($1, $2, $3) on conflict do nothing returning"
    " id": "zero_or_one",
    "insert into a (id, name, grp) values ($1, $2, $3) on conflict (id) do update set grp = 1"
    " returning id": "one",
    "insert into a (id, name, grp) values ($1, $2, $3) on conflict (id) do update set grp = 1"
    " where a.grp > 1 returning id": "zero_or_one",
    "insert into skipping values ($1, $2) returning id": "zero_or_one",
    "update a set grp = 1 where id = $1 returning id": "zero_or_one",
    "update a set grp = 1 from b where a.id = $1 and b.aid = a.id returning b.id": "zero_or_one",
    "update a set grp = 1 from b left join c on c.bid = $1 and c.v = 1 where a.id ="
    " coalesce(c.w, 5)"
    " returning a.id": "many",
    "delete from a where id = $1 returning id": "zero_or_one",
    "delete from a where grp = $1 returning id": "many",
    "merge into a using b on a.id = b.id and b.id = 1 when matched then delete"
    " returning a.id": "many",
    "update jobs set state = 'run' where id = (select id from jobs where state = 'new' limit 1"
    " for update skip locked) returning id": "zero_or_one",
    "with n as (select id from jobs where state = 'new' limit 1 for update skip locked)"
    " update jobs set state = 'run' from n where jobs.id = n.id returning jobs.id": "zero_or_one",
    "update jobs set state = 'run' from (select id from jobs where state = 'new' limit 1) n"
    " where jobs.id = n.id returning jobs.id": "many",
}  # fmt: skip


@pytest.mark.parametrize("sql", CASES)
def test_the_number_of_rows_is_what_keys_and_shape_allow(sql: str) -> None:
    typed, problems = answers(SCHEMA, tuple(CASES))
    assert [p.message for p in problems] == []
    assert typed[sql].cardinality is Cardinality(CASES[sql])


def test_the_reason_names_the_index() -> None:
    typed, _ = answers(SCHEMA, tuple(CASES))
    assert typed["select * from k where tenant = $1 and active"].cardinality_reasons == (
        "all columns of the unique index k_active are compared with values [unique-key]",
    )


def test_a_call_and_a_setting_are_one_row() -> None:
    made = "create procedure p(a int, inout b int) language sql as $$ select a $$"
    asked = ("call p($1, $2)", "show server_version", "show all", "explain select 1")
    typed, problems = answers(made, asked)
    assert problems == ()
    assert [typed[sql].cardinality for sql in asked] == [Cardinality.ONE] * 2 + [
        Cardinality.MANY
    ] * 2
