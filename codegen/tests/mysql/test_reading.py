"""On MySQL and MariaDB, a statement is read-only only by its tree and a list of functions."""

from __future__ import annotations

import pytest
from aiosqlc.ir import Table
from aiosqlc.mysql.reading import why_not
from aiosqlc.mysql.relations import Relation, Routine, Schema
from aiosqlc.mysql.syntax import parse
from aiosqlc.mysql.views import settle_views

_TABLES = (Relation(Table("public", "t", ())), Relation(Table("public", "u", ())))
_VIEWS = {"calm": "select id from t", "wild": "select nextval(s) n from t"}
SCHEMA = settle_views(
    Schema(
        (*_TABLES, *(Relation(Table("public", name, (), kind="view")) for name in _VIEWS)),
        (Routine("stored", ()),),
    ),
    {("public", name): text for name, text in _VIEWS.items()},
)

PROVED = (
    "select * from t where id = $1 limit $2",
    "select count(*), max(a), row_number() over (order by a) from t group by b",
    "with x as (select 1 a) select a from x join u on u.a = x.a and not (u.b or u.c)",
    "select if(a, 1, 2), case when a then 1 end, cast(a as signed), coalesce(a, b), rand() from t",
    "select date_add(now(), interval 1 day), a regexp 'x', exists (select 1 from u) from t",
    "select id from t union all select id from u",
    "select * from calm",
)
SESSION = "the query locks rows or changes the session"
UNLISTED = "{}() is not on the list of read-only functions"
UNPROVED = {
    "update t set a = 1": "the statement is not a SELECT",
    "call stored()": "the statement is not a SELECT",
    "select a from t for update": SESSION,
    "select * from (select a from t for share) q": SESSION,
    "select sql_calc_found_rows a from t": SESSION,
    "select a into @x from t": "a part of the query writes",
    "select @x := 1": "the query uses a session variable",
    "select stored() from t": UNLISTED.format("STORED"),
    "select shop.stored(1)": "the query calls a stored function",
    "select abs(stored2(1)) from t": UNLISTED.format("STORED2"),
    "select get_lock('a', 1)": UNLISTED.format("GET_LOCK"),
    "select nextval(s)": UNLISTED.format("NEXTVAL"),
    "select next value for s": "the query was not parsed",
    "select last_insert_id()": UNLISTED.format("LAST_INSERT_ID"),
    "select * from elsewhere": "elsewhere is not a table of the schema",
    "select * from wild": UNLISTED.format("NEXTVAL"),
}


@pytest.mark.parametrize("sql", PROVED)
def test_what_only_reads_is_proved_to(sql: str) -> None:
    tree = parse(sql)
    assert tree is not None
    assert why_not(tree.root, SCHEMA) == ""


@pytest.mark.parametrize("sql", UNPROVED)
def test_what_may_do_more_is_not_and_the_reason_is_said(sql: str) -> None:
    tree = parse(sql)
    assert why_not(tree.root if tree else None, SCHEMA).startswith(UNPROVED[sql])
