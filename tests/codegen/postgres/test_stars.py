"""Stars are written out, at every level, in names that mean the same columns."""

from __future__ import annotations

import pytest

from tests.codegen.postgres.asking import answers

SCHEMA = """
create table a (id int primary key, name text);
create table b (id int primary key, aid int, "order" text, "Mixed Case" text);
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
    ' b.id, b.aid, b."order", b."Mixed Case"from b',
    "select row(a.*) from a": "select row(a.*) from a",
}


@pytest.mark.parametrize("sql", CASES)
def test_a_star_becomes_the_columns_it_stands_for(sql: str) -> None:
    typed, problems = answers(SCHEMA, tuple(CASES))
    assert [p.message for p in problems] == []
    assert typed[sql].sql == CASES[sql]


def test_the_written_out_query_means_the_same() -> None:
    typed, _ = answers(SCHEMA, tuple(CASES))
    again, problems = answers(SCHEMA, tuple(typed[sql].sql for sql in CASES))
    assert problems == ()
    for sql in CASES:
        before, after = typed[sql], again[typed[sql].sql]
        assert [(c.name, c.type, c.not_null) for c in before.columns] == [
            (c.name, c.type, c.not_null) for c in after.columns
        ]
