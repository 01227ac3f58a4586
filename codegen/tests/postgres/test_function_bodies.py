"""Columns of the rows that SQL functions return: the proofs, and no row that disproves them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.parse.queries import parse_file
from aiosqlc.postgres import Analyzer
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.servers.postgres import TestPostgres

SCHEMA = """
create table t (id int primary key, name text not null, bio text);
create table dropped (id int not null, gone int, name text not null, bio text);
alter table dropped drop column gone;
create type pair as (l int, r int);
create function tab(x int) returns table (a int, b text, c text) language sql
    as 'select id, name, bio from t where id > x';
create function atomic(x int) returns table (a int, b text) language sql
    begin atomic select id, name from t where id > x; end;
create function rows_of() returns setof t language sql as 'select * from t';
create function rows_dropped() returns setof dropped language sql as 'select * from dropped';
create function one_of(x int) returns t language sql as 'select * from t where id = x';
create function outs(x int, out a int, out b int) language sql as 'select x, null::int';
create function outs_agg(out n bigint, out m int) language sql as 'select count(*), max(id) from t';
create function whole(out t pair) language sql as 'select row(null, null)::pair';
create function casts() returns table (a bigint, b text) language sql as 'select id, name from t';
create function strict_set(x int) returns table (a int, b int) language sql strict
    as 'select x, 1';
create function strict_one(x int, out a int, out b int) language sql strict as 'select 1, 2';
create function assumed(x int default null, out a int, out b int) language sql as 'select x, 1';
create function strict_value(x int default null) returns int language sql strict as 'select 1';
create function strict_outs(x int default null, out a int, out b int) language sql strict
    as 'select 1, 2';
create function procedural() returns table (a int, b int) language plpgsql
    as $$ begin return query select null::int, 1; end $$;
create function outer_joined() returns table (a int, b text) language sql
    as 'select t.id, u.name from t left join t u on u.id = t.id + 1';
create function united() returns table (a int, b text) language sql
    as 'select 1, ''x'' union all select 2, null';
create function pairs() returns setof pair language sql as 'select row(1, null)::pair';
create function same(x anyelement, out a anyelement, out b anyelement) language sql
    as 'select x, x';
create function written() returns table (a int, b text) language sql
    as 'update t set bio = null returning id, bio';
create function nested() returns table (a int, b text, c text) language sql
    as 'select f.a, f.b, f.c from tab(0) f';
create function by_key(x int) returns setof t language sql stable
    as 'select * from t where id = x';
create function by_name(x text) returns setof t language sql stable
    as 'select * from t where name = x';
create function first_one() returns setof t language sql stable as 'select * from t limit 1';
create function counted() returns table (n bigint) language sql stable as 'select count(*) from t';
create function by_two(x int) returns setof t language sql stable as 'select * from by_key(x)';
create function changed(x int) returns setof t language sql
    as 'update t set bio = null; select * from t where id = x';
create function endless(n int) returns table (a int) language sql
    as 'select f.a from t f2, lateral (select f2.id) f (a) where f2.id = n';
create function again(n int) returns setof t language sql stable
    as 'select * from t where id = n';
create or replace function again(n int) returns setof t language sql stable
    as 'select f.* from again(n - 1) f';
create function shifted(a int, out r int, b int, c int) language sql as 'select b';
create function between_outs(a int, out r int, out s int, b int) language sql as 'select b, a';
create procedure p_table(x int, out a int, out b text, out c text) language sql
    as 'select id, name, bio from t where id = x';
create procedure p_inout(inout a int, inout b text default null) language sql
    begin atomic select a, b; end;
create procedure p_shifted(out r int, a int, out s int, b int) language sql as 'select b, a';
create procedure p_cast(out a bigint) language sql as 'select 1';
create procedure p_composite(out a pair) language sql as 'select row(null, null)::pair';
create procedure p_written(out a int) language sql
    as 'update t set bio = null returning length(bio)';
create procedure p_procedural(out a int) language plpgsql as 'begin end';
create procedure p_over(x int, out a int) language sql as 'select 1';
create procedure p_over(x text, out a int) language sql as 'select null::int';
create procedure p_rest(out a int, out n int[], variadic n_in int[]) language sql
    as 'select n_in[1], n_in';
create function itself(n int) returns table (a int, b int) language sql
    as 'select n, 1 where n > 0';
"""
ROWS = """
insert into t values (1, 'a', null), (2, 'b', 'x');
insert into dropped values (1, 'n', null);
"""
# For each column, + if it is proved to be not NULL.
CASES = (
    ("select * from tab(0)", "++-"),
    ("select * from atomic(0)", "++"),
    ("select * from rows_of()", "++-"),
    ("select * from rows_dropped()", "---"),
    ("select * from one_of(9)", "---"),
    ("select * from outs(1)", "+-"),
    ("select * from outs(null)", "--"),
    ("select * from outs_agg()", "+-"),
    ("select * from whole()", "--"),
    ("select * from casts()", "-+"),
    ("select * from strict_set(null)", "++"),
    ("select * from strict_one(null)", "--"),
    ("select * from strict_one(1)", "++"),
    ("select * from assumed()", "-+"),
    ("select strict_value() as v", "-"),
    ("select strict_value(1) as v", "+"),
    ("select strict_value((select id from t where id = 9)) as v", "-"),
    ("select * from strict_outs()", "--"),
    ("select * from procedural()", "-+"),
    ("select * from outer_joined()", "+-"),
    ("select * from united()", "+-"),
    ("select * from pairs()", "--"),
    ("select * from same(null::int)", "--"),
    ("select * from written()", "--"),
    ("select * from nested()", "++-"),
    ("select * from itself(1)", "++"),
    ("select t.id, f.a, f.b from t left join tab(1) f on f.a = t.id", "+--"),
    ("select f.* from tab(0) with ordinality f (a, b, c, n)", "++-+"),
    ("select f.* from rows from (atomic(1), outs(1)) f (a, b, c, d)", "----"),
    ("select f.a, f.b from t, lateral atomic(t.id) f", "++"),
    ("select f.a from t left join lateral atomic(t.id) f on true", "-"),
    ("select tab(0) as v", "-"),
    ("select one_of(9) as v", "-"),
    ("select (tab(0)).b as v", "-"),
    ("select f.b from tab(0) f where f.b is not null", "+"),
    ("select f.c from tab(0) f where f.c is not null", "+"),
    ("select shifted(1, null, 2) as v", "-"),
    ("select shifted(null, 1, null) as v", "+"),
    ("select * from between_outs(1, null)", "-+"),
    ("select * from between_outs(null, 1)", "+-"),
    ("call p_table(1, null, null, null)", "++-"),
    ("call p_table(b => 'x', a => 3, x => 2, c => null)", "++-"),
    ("call p_inout(1, 'x')", "++"),
    ("call p_inout(1)", "+-"),
    ("call p_inout(b => 'x', a => null)", "-+"),
    ("call p_shifted(null, 1, null, null)", "-+"),
    ("call p_shifted(null, null, null, 1)", "+-"),
    ("call p_cast(null)", "-"),
    ("call p_composite(null)", "+"),
    ("call p_written(null)", "-"),
    ("call p_procedural(null)", "-"),
    ("call p_over(1, null)", "+"),
    ("call p_over('x'::text, null)", "-"),
    ("call p_rest(null, null, 1, 2)", "-+"),
    ("call p_rest(null, null, variadic null::int[])", "--"),
)
# Whether the query is proved to return at most one row.
SINGLE = (
    ("select * from by_key(1)", True),
    ("select * from by_key((select max(id) from t))", True),
    ("select * from by_name('a')", False),
    ("select * from first_one()", False),
    ("select * from counted()", True),
    ("select * from by_two(1)", True),
    ("select * from changed(1)", True),
    ("select * from rows_of()", False),
    ("select * from tab(1)", False),
    ("select * from united()", False),
    ("select * from procedural()", True),
    ("select f.* from t, by_key(t.id) f", False),
    ("select f.* from t, by_key(t.id) f where t.id = 1", True),
    ("select f.* from t left join by_key(1) f on true where t.id = 1", True),
    ("select f.* from by_key(1) f, by_key(2) g", True),
    ("select * from rows from (by_key(1), rows_of()) f", False),
    ("select by_key(1)", False),
    ("select * from endless(1)", True),
    ("select * from again(1)", False),
)


@pytest.fixture(scope="module")
def filled(postgres_server: TestPostgres) -> Iterator[str]:
    url = postgres_server.create_empty()
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"{SCHEMA}{ROWS}".encode())
    yield url
    postgres_server.drop(url)


def test_columns_of_functions_are_proved_from_their_bodies(analyzer: Analyzer, filled: str) -> None:
    text = "".join(f"-- name: Q{n} :many\n{query};\n" for n, (query, _) in enumerate(CASES))
    parsed, problems = parse_file(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL)
    assert problems == []
    schema = schema_file(SourceFile(Path("schema.sql"), SCHEMA), Dialect.POSTGRESQL)
    analysis, _ = analyzer.analyze([schema], parsed, AnalyzeOptions())
    proved = {
        query.parsed.sql: "".join("-+"[column.not_null] for column in query.columns)
        for query in analysis.queries
    }
    with psycopg.connect(filled) as db:
        for query, claims in proved.items():
            for row in db.execute(query.encode()).fetchall():
                refuted = [n for n, v in enumerate(row) if v is None and claims[n] == "+"]
                assert not refuted, (query, row)
    assert proved == dict(CASES)


def test_row_counts_of_functions_are_proved_from_their_bodies(
    analyzer: Analyzer, filled: str
) -> None:
    text = "".join(f"-- name: Q{n} :many\n{query};\n" for n, (query, _) in enumerate(SINGLE))
    parsed, problems = parse_file(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL)
    assert problems == []
    schema = schema_file(SourceFile(Path("schema.sql"), SCHEMA), Dialect.POSTGRESQL)
    analysis, _ = analyzer.analyze([schema], parsed, AnalyzeOptions())
    proved = {query.parsed.sql: query.cardinality.at_most_one for query in analysis.queries}
    with psycopg.connect(filled) as db:
        for query, single in proved.items():
            if "again" in query:  # never ends
                continue
            assert not single or len(db.execute(query.encode()).fetchall()) <= 1, query
        db.rollback()
    assert proved == dict(SINGLE)


def test_call_without_outputs_has_no_row(analyzer: Analyzer) -> None:
    schema_sql = "create procedure p(x int) language sql as 'select x';"
    queries = "-- name: A :one\nCALL p(1);\n-- name: B :exec\nCALL p(1);\n"
    parsed, _ = parse_file(SourceFile(Path("q.sql"), queries), Dialect.POSTGRESQL)
    schema = schema_file(SourceFile(Path("schema.sql"), schema_sql), Dialect.POSTGRESQL)
    _, problems = analyzer.analyze([schema], parsed, AnalyzeOptions())
    assert [(p.code, p.hint) for p in problems] == [
        ("E321", "use :exec: the procedure has no OUT or INOUT parameter")
    ]
