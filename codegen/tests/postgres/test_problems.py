"""Errors of the server: every mistake, at its position, with the server's own advice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from aiosqlc.diagnostics import Severity
from aiosqlc.ir import AnalyzeOptions, Command, Param
from aiosqlc.parse.queries import parse_files
from aiosqlc.postgres import Analyzer, written
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.postgres.typed import QueryTyper
from aiosqlc.source import Dialect, SourceFile, Span
from msgspec.structs import replace

from tests.postgres.asking import TABLES, answers, query, run, schema_file

# SQL: code, the text under the caret, a part of the message or the hint.
CASES = {
    "select * from pionts": ("E310", "pionts", "does not exist"),
    "select nam from a": ("E311", "nam", "a.name"),
    "select id from a, b": ("E315", "id", "ambiguous"),
    "select upper(1) from a": ("E312", "upper", "`upper(text)`"),
    "selec 1": ("E300", "selec", "did you mean `SELECT` instead of `selec`?"),
    "select * form a": ("E300", "form", "did you mean `FROM` instead of `form`?"),
    "select * from a wehre id = 1": ("E300", "id", "did you mean `WHERE` instead of `wehre`?"),
    "select * from a odrer by id": ("E300", "by", "did you mean `ORDER` instead of `odrer`?"),
    "select * from a grup by id": ("E300", "by", "did you mean `GROUP` instead of `grup`?"),
    "select * from a where (id = 1 and (id = 2)": ("E300", ")", "the `(` in line 1, column 23"),
    "select * from a where id = 1)": ("E300", ")", "this `)` does not have a matching `(`"),
    "select * from a where id = @": (
        "E300",
        "@",
        "write the name of the parameter directly after the `@`",
    ),
    "select `id` from a": ("E300", "from", "remove the backticks"),
    "select ‘x’ from a": ("E311", "‘", "typographic quotes"),
    "select " + "+".join(["1"] * 9000): ("E301", "", "the query is nested too deeply"),
    "select 1 from": ("E300", "m", "end of input"),
    "select $1": (None, "", ""),
    "select $1 is null": ("E313", "$1", "cast"),
    "select 1 where $1 = 1 and $1 = 'x'::text": ("E312", "=", "$1::integer::text"),
    "select name, count(*) from a": ("E317", "name", "GROUP BY"),
    "select 'x'::nope": ("E318", "nope", "does not exist"),
    "select 1 + 'x'": ("E301", "'x'", "invalid input"),
    "select uuid_generate_v4()": ("E312", "uuid", 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp"'),
    "select getdate() - interval '1 day'": ("E312", "getdate", "`now()`"),
    "select id from a where id <->@most > 1": ("E311", "most", "put a space before the `@`"),
    "select é from a": ("E311", "é", "does not exist"),
}


@pytest.mark.parametrize("sql", CASES, ids=lambda sql: sql[:60])
def test_a_mistake_is_shown_where_it_is(sql: str) -> None:
    code, word, text = CASES[sql]
    _, problems = run(TABLES, [query(sql)])
    if code is None:
        assert problems == ()
        return
    (problem,) = problems
    span = problem.labels[0].span
    assert problem.code == code
    assert sql[span.start : span.end].startswith(word)
    assert text in problem.message + problem.hint + " ".join(problem.notes)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from xmltable('/r' passing 'x'::xml)",
        "select * from orders id = 1",
    ],
)
def test_no_hint_is_better_than_a_wrong_one(sql: str) -> None:
    (problem,) = run(TABLES, [query(sql)])[1]
    assert (problem.code, problem.hint) == ("E300", "")


@pytest.mark.parametrize(
    "sql",
    [
        "select id from a where a = $1",
        "select id from a where a is distinct from $1",
        "select id from a where row(id, name) = $1",
        "select id from a where (id, name) in ($1)",
        "select id from a where a = any($1)",
    ],
)
def test_a_row_without_a_type_cannot_be_passed(sql: str) -> None:
    (problem,) = run(TABLES, [query(sql)])[1]
    assert (problem.code, problem.severity) == ("E313", Severity.ERROR)
    typed = sql.replace("$1", "$1::a[]" if "any" in sql else "$1::a")
    assert "row(" in sql or "(id," in sql or run(TABLES, [query(typed)])[1] == ()


def test_a_broken_query_does_not_hide_another() -> None:
    asked = [query(s, f"Q{n}") for n, s in enumerate(["selec", "select 1", "select x", "select 2"])]
    analysis, problems = run(TABLES, asked)
    assert [q.parsed.name for q in analysis.queries] == ["Q1", "Q3"]
    assert [p.code for p in problems] == ["E300", "E311"]
    assert [c.not_null for q in analysis.queries for c in q.columns] == [True, True]


@pytest.mark.parametrize(
    ("strict", "severity"), [(True, Severity.ERROR), (False, Severity.WARNING)]
)
def test_one_row_asked_of_many_is_a_finding(strict: bool, severity: Severity) -> None:
    asked = query("select * from a", command=Command.ONE)
    _, (problem,) = run(TABLES, [asked], AnalyzeOptions(strict=strict))
    assert (problem.code, problem.severity) == ("E320", severity)


@pytest.mark.parametrize(
    ("sql", "said"),
    [("delete from a", "returns no rows"), ("select from a", "no rows with a column")],
)
def test_rows_asked_of_a_statement_without_any_are_an_error(sql: str, said: str) -> None:
    _, (problem,) = run(TABLES, [query(sql, command=Command.MANY)])
    assert problem.code == "E321"
    assert said in problem.message


def test_a_statement_nested_beyond_measure_is_typed_without_claims_and_says_so() -> None:
    deep = "select " + "(" * 2000 + "id" + " + 1)" * 2000 + " from a"
    analysis, problems = run(TABLES, [query(deep), query("select id from a")])
    assert [(p.code, p.severity) for p in problems] == [("E372", Severity.WARNING)]
    assert "nested too deeply" in problems[0].message
    assert [q.columns[0].not_null for q in analysis.queries] == [False, True]
    assert analysis.queries[0].columns[0].type.name == "int4"


def test_a_view_of_which_nothing_is_proved_is_said_in_every_run() -> None:
    deep = "select " + "(" * 2000 + "id" + " + 1)" * 2000 + " as n from a"
    schema = [schema_file(f"{TABLES}; create view deep as {deep}; create view flat as table a")]
    with Analyzer() as analyzer:
        for _ in range(2):
            analysis, problems = analyzer.analyze(schema, [], AnalyzeOptions())
            assert [(p.code, p.severity) for p in problems] == [("E372", Severity.WARNING)]
            assert "the view `deep`: the query is nested too deeply" in problems[0].message
    columns = {table.name: table.columns for table in analysis.catalog.tables}
    assert columns["flat"][0].not_null
    assert not columns["deep"][0].not_null


def test_a_tree_of_another_shape_costs_the_claims_and_says_so() -> None:
    with Analyzer() as analyzer:
        opened = analyzer.opened([schema_file(TABLES)], AnalyzeOptions())
        assert opened is not None
        answer = next(describe(opened[0], ["select id from a"]))
        assert isinstance(answer, Described)
        strange = replace(answer, tree=answer.tree.replace(":jointree", ":joinTree2"))
        inferred = QueryTyper(opened[1]).type_query(query("select id from a"), strange)
    columns = inferred.query.columns
    assert [(c.name, c.type.name, c.not_null) for c in columns] == [("id", "int4", False)]
    assert "KeyError: 'jointree'" in inferred.failure


def test_only_what_can_never_run_is_told_of_many_planned_at_once() -> None:
    sqls = [f"select {number} -- the last line is a comment" for number in range(70)]
    sqls[3] = "show work_mem"  # which has no plan
    sqls[60] = "select a.id from a full join b on a.id < b.id"
    _, problems = answers(TABLES, tuple(sqls))
    assert [(item.code, item.message.split("`")[1]) for item in problems] == [("E371", "Q60")]


def test_a_statement_that_takes_long_to_plan_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(written, "_LONGEST_PLAN", "100ms")
    slow = (
        "create function slow() returns int immutable language plpgsql"
        " as $$begin perform pg_sleep(30); return 1; end$$;"  # the planner calls it
    )
    started = time.monotonic()
    typed, problems = answers(TABLES + slow, ("select slow()", "select id from a"))
    assert time.monotonic() - started < 25
    assert (len(typed), problems) == (2, ())


def test_more_parameters_than_can_be_sent_are_refused_unasked() -> None:
    sql = "select id from a where id = $65536"
    many = query(sql, params=(Param(65_536, None, (Span(27, 33),)),))
    sound, (problem,) = run(TABLES, [many, query("select id from a", "R")])
    assert (problem.code, problem.labels[0].span) == ("E301", Span(27, 33))
    assert "`Q` has 65536 parameters; PostgreSQL allows 65535" in problem.message
    assert [item.parsed.name for item in sound.queries] == ["R"]


UNTYPED = {
    "select id from a where @name is null": "@name::text",
    "select id from a where sqlc.narg(name) is null": "@name::text",
    "select id from a where sqlc.narg(x) is null": "`AND name = @name -- :if name`",
    "select id from a where id = @x and name = @x": "@x::integer::text",
    "select id from a where row(id, name) = @pair": "@pair::author",
    "select @a + @a": "not unique",
    "select id from a where $1 is null": "$1::text",
    "select id from a where name = @name\n and @x::int = @x and @x = 'b'::text": "@x::integer::",
}


@pytest.mark.parametrize("sql", UNTYPED)
def test_a_message_names_parameters_as_the_query_does(sql: str) -> None:
    text = f"-- name: Q :many\n{sql};\n"
    parsed, none = parse_files([SourceFile(Path("q.sql"), text)], Dialect.POSTGRESQL)
    assert none == []
    (problem,) = run(TABLES, list(parsed))[1]
    said = " ".join(
        (problem.message, problem.hint, *problem.notes, *(x.text for x in problem.labels))
    )
    assert UNTYPED[sql] in said
    assert ("$1" in said) == ("$1" in sql)
