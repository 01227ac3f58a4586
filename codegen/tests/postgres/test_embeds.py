"""An embedded row is present, missing as a whole, or refused, but never silently incomplete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiosqlc.ir import Embed, ParsedQuery
from aiosqlc.parse.queries import parse_file
from aiosqlc.source import Dialect, SourceFile, Span
from msgspec.structs import replace

from tests.postgres.asking import query, run

SCHEMA = """
create table a (id int primary key, name text not null, x int);
create table b (id int primary key, aid int not null);
create view va as select id, name from a;
"""
_EMBED = re.compile(r"embed\((\w+)\)")
SET = "insert into a values ($1, 'n', 1) on conflict (id) do update set x = 2"
MERGE = "merge into b using a on b.id = a.id"

# Each embed of a query: there always, or `?`.
CASES = {
    "select embed(a) from a": "a",
    "select embed(va) from va": "va",
    "select embed(a), embed(b) from a left join b on b.aid = a.id": "a b?",
    "select embed(s) from (select 1 as n) s": "s",
    "select embed(s) from b left join (select id from a) s on s.id = b.aid": "s?",
    "with w as (select a.* from a) select embed(w) from w": "w",
    "select embed(a), count(*) from a group by a.id": "a",
    "select embed(a), count(*) from a group by a.id, a.name, a.x": "a",
    "select embed(b), count(a.id) from a left join b on b.aid = a.id group by b.id": "b?",
    "select embed(b), count(a.id) from a left join b on b.aid = a.id where b.aid > 0"
    " group by b.id": "b",
    "select embed(a) from a group by rollup ((a.id, a.name, a.x))": "a?",
    "select embed(a) from a group by grouping sets ((a.id, a.name, a.x), (a.id, a.name, a.x))": "a",
    "select embed(a) from a union all select embed(a) from a": "a",
    "select embed(a), b.aid from a join b on b.aid = a.id except select embed(s), 1 from a s": "a",
    "select embed(b) from b union select embed(b) from a left join b on b.aid = a.id"
    " where b.aid > 1 intersect (select embed(b) from b order by 1 limit 1)": "b",
    f"{SET} returning embed(a)": "a",
    f"{SET} returning embed(old), embed(new)": "old? new",
    "insert into a values ($1, 'n', 1) returning embed(old)": "old?",
    "update a set x = 1 returning embed(old), embed(new)": "old new",
    "delete from a returning embed(old), embed(new)": "old new?",
    "delete from a using b where b.aid = a.id returning embed(a), embed(b)": "a b",
    f"{MERGE} when matched then delete returning embed(a), embed(b)": "a b",
    f"{MERGE} when not matched by source then delete returning embed(a), embed(b)": "a? b",
    f"{MERGE} when matched then update set aid = 1 returning embed(old), embed(new)": "old new",
    f"{MERGE} when matched then delete returning embed(old), embed(new)": "old new?",
    f"{MERGE} when not matched then insert values (9, 9) returning embed(old), embed(new)": (
        "old? new"
    ),
}  # fmt: skip
REFUSED = (
    "select embed(a) from a group by rollup (a.id, a.name, a.x)",
    "select embed(a) from a group by grouping sets ((a.id, a.name, a.x), (a.id))",
    "select embed(a) from a group by a.id, cube (a.name, a.x)",
    "select embed(a) from a group by grouping sets ((a.id, a.x), (a.name))",
    "select embed(a) from a group by a.id, rollup ((a.id, a.name, a.x))",
    f"select embed(a) from a group by cube ((a.id, a.name, a.x)){', cube (a.id, a.x, a.name)' * 3}",
    "select embed(a) from a union all select * from a",
    "select embed(b) from b union select embed(b) from a left join b on b.aid = a.id",
    "select embed(va) from va union select embed(s) from (select id, name from a) s",
    "select embed(s) from (select 1 as n) s union select embed(s) from (select 2 as n) s",
    "select embed(a) from a group by rollup (a.id, a.name, a.x) union select embed(a) from a",
    "select s.* from (select embed(a) from a) s",
)


def _asked(text: str) -> ParsedQuery:
    embeds: list[Embed] = []
    sql, at = "", 0
    for match in _EMBED.finditer(text):
        sql += text[at : match.start()]
        embeds.append(Embed(match.group(1), Span(len(sql), len(sql) + 1), len(sql)))
        sql += f"{match.group(1)}.*"
        at = match.end()
    return replace(query(sql + text[at:]), embeds=tuple(embeds))


@pytest.mark.parametrize("text", CASES)
def test_an_embedded_row_is_optional_where_it_can_be_missing(text: str) -> None:
    analysis, problems = run(SCHEMA, [_asked(text)])
    assert [problem.message for problem in problems] == []
    embeds = analysis.queries[0].embeds
    assert " ".join(e.name + "?" * e.nullable for e in embeds) == CASES[text]
    for embed in embeds:  # in a row that is there, what the table promises holds
        assert analysis.queries[0].columns[embed.first].not_null
        assert (embed.presence is not None) is embed.nullable


@pytest.mark.parametrize("text", REFUSED)
def test_an_embed_that_is_no_row_of_a_table_is_an_error(text: str) -> None:
    _, problems = run(SCHEMA, [_asked(text)])
    assert {problem.code for problem in problems} == {"E342"}


def test_what_is_embedded_in_vain_is_judged_as_it_is() -> None:
    text = """-- name: Q :many
select sqlc.embed(b) from a left join b on b.aid = a.id
intersect -- :if both
select sqlc.embed(b) from b -- :if both
;
"""
    (asked,), _ = parse_file(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL)
    analysis, problems = run(SCHEMA, [asked])
    assert {problem.code for problem in problems} == {"E342"}
    assert not analysis.queries[0].columns[0].not_null
