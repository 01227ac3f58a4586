"""Stars are expanded at every level, in names that mean the same columns."""

from __future__ import annotations

import pytest

from tests.postgres.asking import answers

SCHEMA = """
create table a (id int primary key, name text);
create table b (id int primary key, aid int, "order" text, "Mixed Case" text);
create table u (id int, tid int, x int);
create table wide (id int, tid int, x int, y int, z int, w int);
create table s1 (k int, x int);
create table s2 (k int, y int);
create table g (b_id int, id int primary key, name text);
create table h (gid int primary key, n int);
create type pair as (l int, r int);
create table p (id int, v pair, vs pair[]);
create function rows_of(n int) returns table (k int, t text) language sql as 'select 1, null';
create table "ünï" ("é" int, "a.*" int, "x y" int);
create view vg as select g.*, g.id + 1 as n1 from g;
create schema other;
create table other.a (id int, more int);
"""

CASES = {
    "select * from a": "select id, name from a",
    "select a.* from a": "select a.id, a.name from a",
    "select x.*, 1 from a x": "select x.id, x.name, 1 from a x",
    "select * from b": 'select id, aid, "order", "Mixed Case" from b',
    "select * from a join b on b.aid = a.id": "select a.id, name, b.id, aid,"
    ' "order", "Mixed Case" from a join b on b.aid = a.id',
    "select * from a join b using (id)": 'select id, name, aid, "order", "Mixed Case"'
    " from a join b using (id)",
    "select count(*), 2 * 3 from a": "select count(*), 2 * 3 from a",
    "select 'é*', * from a": "select 'é*', id, name from a",
    "select * /* * */ from a -- *": "select id, name /* * */ from a -- *",
    "with w as (select * from a) select * from w": "with w as (select id, name from a)"
    " select id, name from w",
    "select * from (select * from a) s": "select id, name from (select id, name from a) s",
    "select * from a union all select * from a": "select id, name from a"
    " union all select id, name from a",
    "insert into a select * from a returning *": "insert into a select id, name from a"
    " returning id, name",
    "update a set name = 'x' returning a.*": "update a set name = 'x' returning a.id, a.name",
    "select * from a x(k, v)": "select k, v from a x(k, v)",
    "select distinct * from a": "select distinct id, name from a",
    "select array(select a.id from a), b.*from b": "select array(select a.id from a),"
    ' b.id, b.aid, b."order", b."Mixed Case" from b',
    "select row(a.*) from a": "select row(a.*) from a",
    # tight stars
    "select*from u": "select id, tid, x from u",
    "select 1 as one,*from u": "select 1 as one,id, tid, x from u",
    "select distinct*from u": "select distinct id, tid, x from u",
    "select u.*,1 from u": "select u.id, u.tid, u.x,1 from u",
    "select all*from u": "select all id, tid, x from u",
    "delete from u returning*": "delete from u returning id, tid, x",
    "select/**/*/**/from u": "select/**/id, tid, x/**/from u",
    "select distinct on (x)*from u": "select distinct on (x) id, tid, x from u",
    "select tid*x, u . * from u": "select tid*x, u.id, u.tid, u.x from u",
    "select (tid)*2, 3 * x from u": "select (tid)*2, 3 * x from u",
    # a row is no list of columns
    "select count(b.*) from b": "select count(b.*) from b",
    "select json_agg(b.*), max(b.id) from b": "select json_agg(b.*), max(b.id) from b",
    "select array_agg(b.*) from b": "select array_agg(b.*) from b",
    "select max(u.*) from u group by u.id": "select max(u.*) from u group by u.id",
    "select id from b order by b.*": "select id from b order by b.*",
    "select u.* from u order by u.*": "select u.id, u.tid, u.x from u order by u.*",
    # INSERT … SELECT
    "insert into wide select u.* from u": "insert into wide select u.id, u.tid, u.x from u",
    "insert into wide (id, tid, x, y, z, w) select u.*, u.* from u": "insert into wide"
    " (id, tid, x, y, z, w) select u.id, u.tid, u.x, u.id, u.tid, u.x from u",
    "insert into u (id, tid, x)"
    " select * from unnest($1::int[], $2::int[], $3::int[]) as v(a, b, c)": "insert into u"
    " (id, tid, x) select a, b, c from unnest($1::int[], $2::int[], $3::int[]) as v(a, b, c)",
    "insert into u select * from unnest($1::int[], $2::int[])": "insert into u"
    " select * from unnest($1::int[], $2::int[])",
    "insert into u (id) select * from unnest($1::int[])": "insert into u (id)"
    " select unnest from unnest($1::int[])",
    # grouped columns
    "select g.*, count(*) from g group by g.id": "select g.b_id, g.id, g.name, count(*)"
    " from g group by g.id",
    "select * from g group by id": "select b_id, id, name from g group by id",
    "select g.id, g.* from g group by g.id": "select g.id, g.b_id, g.id, g.name"
    " from g group by g.id",
    "select g.*, g.id from g group by g.id": "select g.b_id, g.id, g.name, g.id"
    " from g group by g.id",
    "select g.*, g.* from g group by g.id": "select g.b_id, g.id, g.name,"
    " g.b_id, g.id, g.name from g group by g.id",
    "select h.*, g.* from g join h on gid = id group by g.id, h.gid": "select h.gid, h.n,"
    " g.b_id, g.id, g.name from g join h on gid = id group by g.id, h.gid",
    "select g.*, h.* from g join h on gid = id group by g.id, h.gid": "select g.b_id, g.id,"
    " g.name, h.gid, h.n from g join h on gid = id group by g.id, h.gid",
    "select * from g join h on gid = id group by g.id, h.gid": "select b_id, id, name, gid, n"
    " from g join h on gid = id group by g.id, h.gid",
    "select u.* from u group by u.id, tid, u.x": "select u.id, u.tid, u.x"
    " from u group by u.id, tid, u.x",
    "select * from u group by x, tid, id": "select id, tid, x from u group by x, tid, id",
    "select u.*, count(*) from u group by rollup (id, tid, x)": "select u.id, u.tid, u.x,"
    " count(*) from u group by rollup (id, tid, x)",
    # joins
    "select * from (s1 join s2 using (k)) j": "select k, x, y from (s1 join s2 using (k)) j",
    "select j.* from (s1 join s2 using (k)) j": "select j.k, j.x, j.y"
    " from (s1 join s2 using (k)) j",
    "select * from (s1 join s2 on true) j": "select * from (s1 join s2 on true) j",
    "select * from (s1 join s2 using (k)) j join s2 on true": "select j.k, x, j.y, s2.k, s2.y"
    " from (s1 join s2 using (k)) j join s2 on true",
    "select * from s1 full join s2 using (k)": "select k, x, y from s1 full join s2 using (k)",
    "select s1.*, s2.* from s1 full join s2 using (k)": "select s1.k, s1.x, s2.k, s2.y"
    " from s1 full join s2 using (k)",
    "select * from s1 natural left join s2": "select k, x, y from s1 natural left join s2",
    "select * from s1 join s2 using (k) as m": "select k, x, y from s1 join s2 using (k) as m",
    "select m.*, s1.x from s1 join s2 using (k) as m": "select m.k, s1.x"
    " from s1 join s2 using (k) as m",
    "select * from s1 a, s1 b": "select a.k, a.x, b.k, b.x from s1 a, s1 b",
    "select * from a, other.a": "select * from a, other.a",
    "select * from a, lateral (select *, a.* from b where aid = a.id) l": "select *"
    ' from a, lateral (select id, aid, "order", "Mixed Case", a.id, a.name from b'
    " where aid = a.id) l",
    "select l.* from g, lateral (select *, g.* from h where gid = g.id) l": "select l.gid, l.n,"
    " l.b_id, l.id, l.name from g, lateral (select gid, n, g.b_id, g.id, g.name from h"
    " where gid = g.id) l",
    # other sources
    "select * from rows_of(1)": "select k, t from rows_of(1)",
    "select r.* from rows_of(1) with ordinality r": "select r.k, r.t, r.ordinality"
    " from rows_of(1) with ordinality r",
    "select * from (values (1, 2), (3, 4)) v": "select column1, column2"
    " from (values (1, 2), (3, 4)) v",
    "select * from vg": "select b_id, id, name, n1 from vg",
    'select * from "ünï"': 'select "é", "a.*", "x y" from "ünï"',
    'select \'ü\', 1 as ü, "ünï".* from "ünï"': 'select \'ü\', 1 as ü, "ünï"."é",'
    ' "ünï"."a.*", "ünï"."x y" from "ünï"',
    "select public.u.* from public.u": "select public.u.id, public.u.tid, public.u.x from public.u",
    "with w(i, j) as (select * from h) select * from w": "with w(i, j) as"
    " (select gid, n from h) select i, j from w",
    "with d as (delete from u returning *) select d.* from d": "with d as"
    " (delete from u returning id, tid, x) select d.id, d.tid, d.x from d",
    "with recursive r as (select * from h union all select h.* from h join r on r.n = h.gid)"
    " select * from r": "with recursive r as (select gid, n from h union all"
    " select h.gid, h.n from h join r on r.n = h.gid) select gid, n from r",
    "select x from u where exists (select * from g where g.id = u.id)": "select x from u"
    " where exists (select b_id, id, name from g where g.id = u.id)",
    "merge into h using u on gid = u.id when matched then delete returning *": "merge into h"
    " using u on gid = u.id when matched then delete returning id, tid, x, gid, n",
    "update h set n = 1 returning old.*, new.*": "update h set n = 1 returning old.gid, old.n,"
    " new.gid, new.n",
    "update h set n = 1 returning with (old as o) o.*": "update h set n = 1 returning"
    " with (old as o) o.gid, o.n",
    "update h set n = 1 returning with (old as o)*": "update h set n = 1 returning"
    " with (old as o) gid, n",
    "select (v).* from p": "select (v).* from p",
    "select distinct on (p.id) (v).*, p.* from p": "select distinct on (p.id) (v).*, p.id, p.v,"
    " p.vs from p",
    "select s.* from (select (v).* from p) s": "select s.l, s.r from (select (v).* from p) s",
    "delete from p returning (v).*": "delete from p returning (v).*",
    "select row(1, p.*), count(p.*) over (), id*2 from p": "select row(1, p.*),"
    " count(p.*) over (), id*2 from p",
    "select p.id is distinct from u.id, u.* from p, u": "select p.id is distinct from u.id,"
    " u.id, u.tid, u.x from p, u",
    "insert into vg (b_id, id) values (1, 2) returning *": "insert into vg (b_id, id)"
    " values (1, 2) returning *",
    "with d as (delete from vg returning vg.*) select * from d": "with d as"
    " (delete from vg returning vg.*) select b_id, id, name, n1 from d",
    "select exists (select*from u), array(select x*2 from u)": "select exists"
    " (select id, tid, x from u), array(select x*2 from u)",
    "select * from json_table('[]', '$[*]' columns (i int path '$.a', j int path '$.b'))": "select"
    " i, j from json_table('[]', '$[*]' columns (i int path '$.a', j int path '$.b'))",
}


# The stars that stay, and why. Two columns of one item, which may get more, are called alike: no
# list of names means the same.
_ALIKE = "several columns have the same name"
_VIEW = "the server does not report the columns of `{}`, as for RETURNING of a view"
KEPT = {
    "select * from (s1 join s2 on true) j": _ALIKE,
    "select * from a, other.a": _ALIKE,
    "select * from a, lateral (select *, a.* from b where aid = a.id) l": _ALIKE,
    "select (v).* from p": "`(v).*` expands a composite value",
    "select distinct on (p.id) (v).*, p.* from p": "`(v).*` expands a composite value",
    "select s.* from (select (v).* from p) s": "`(v).*` expands a composite value",
    "delete from p returning (v).*": "`(v).*` expands a composite value",
    "insert into vg (b_id, id) values (1, 2) returning *": _VIEW.format("*"),
    "with d as (delete from vg returning vg.*) select * from d": _VIEW.format("vg.*"),
}


@pytest.mark.parametrize("sql", CASES)
def test_a_star_becomes_the_columns_it_stands_for(sql: str) -> None:
    typed, problems = answers(SCHEMA, tuple(CASES))
    assert typed[sql].sql == CASES[sql]
    assert [p.message for p in problems if p.code != "E373"] == []
    said = [p.message for p in problems if p.code == "E373" and p.labels[0].file.text == sql]
    why = KEPT.get(sql)
    assert said == (
        [f"the `*` in `{typed[sql].parsed.name}` is not expanded: {why}"] if why else []
    )


def test_a_text_with_other_letters_has_the_same_stars() -> None:
    beside = {sql: f"{sql}\n-- é" for sql in CASES}
    typed, _ = answers(SCHEMA, tuple(CASES))
    others, _ = answers(SCHEMA, tuple(beside.values()))
    given = {sql: others[beside[sql]].sql.removesuffix("\n-- é") for sql in CASES}
    assert given == {sql: typed[sql].sql for sql in CASES}


def test_the_written_out_query_means_the_same() -> None:
    typed, _ = answers(SCHEMA, tuple(CASES))
    again, problems = answers(SCHEMA, tuple(typed[sql].sql for sql in CASES))
    assert {p.code for p in problems} <= {"E373"}
    for sql in CASES:
        before, after = typed[sql], again[typed[sql].sql]
        assert [(c.name, c.type, c.not_null) for c in before.columns] == [
            (c.name, c.type, c.not_null) for c in after.columns
        ]
