"""The table column that a result column returns, also through set operations that agree."""

from __future__ import annotations

import pytest

from tests.postgres.asking import TABLES, answers

CASES = {
    "select name from a union all select name from a where id > 1": "a.name",
    "select name from a union select title from b": "",
    "select name from a union all select 'x'": "",
    "select name from a union select name from a except select name from a": "a.name",
    "select s.name from (select name from a union select x.name from a x) s": "a.name",
    "select s.n from (select name || 'x' as n from a union select name from a) s": "",
    "with w (n) as (select name from a union all select name from a) select n from w": "a.name",
    "with w as (select id, name from a), v as (select name from w union select name from w)"
    " select name from v": "a.name",
    "with recursive w as (select name, id from a union all select w.name, w.id + 1 from w"
    " where w.id < 3) select name from w": "",
    "select name from va union select name from va": "va.name",
}


@pytest.mark.parametrize("sql", CASES)
def test_a_set_operation_shows_the_column_that_all_its_parts_show(sql: str) -> None:
    typed, problems = answers(TABLES, tuple(CASES))
    assert problems == ()
    origin = typed[sql].columns[0].origin
    assert (f"{origin.table}.{origin.column}" if origin else "") == CASES[sql]
