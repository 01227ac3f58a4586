"""Schema files: applied in order, with errors at their positions, and without partial changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from aiosqlc.diagnostics import Severity
from aiosqlc.ir import AnalyzeOptions, TypeKind
from aiosqlc.postgres import analyze
from aiosqlc.servers.postgres.connection import Connection

from tests.postgres.asking import query, schema_file

# Schema: code and the text under the caret.
BROKEN = {
    "create table tt (id int); create table tt (id int)": ("E204", "tt"),
    "create table t (id itn)": ("E201", "itn"),
    "create table x (id int references y)": ("E202", "y"),
    "creat table t ()": ("E200", "creat"),
    "create extension pg_net": ("E203", "pg_net"),
    "alter table nope add column x int": ("E202", "nope"),
    "set search_path to app; create table tt (id int)": ("E201", "tt"),
}


@pytest.mark.parametrize("sql", BROKEN)
def test_an_error_of_the_schema_has_a_place(sql: str) -> None:
    code, word = BROKEN[sql]
    _, (problem,) = analyze([schema_file(sql)], [], AnalyzeOptions())
    span = problem.labels[0].span
    assert problem.code == code, problem
    assert sql[span.start : span.end].startswith(word)


def test_a_missing_extension_comes_with_the_remedy() -> None:
    _, (problem,) = analyze([schema_file("create extension pg_net")], [], AnalyzeOptions())
    assert "database.uri" in problem.hint
    assert "pg_net.sql" in problem.hint


def test_a_missing_schema_comes_with_the_remedy() -> None:
    sql = "set search_path to app, other; create table t (id int)"
    _, (problem,) = analyze([schema_file(sql)], [], AnalyzeOptions())
    assert '"app" does not exist' in problem.message
    assert "`CREATE SCHEMA app;`" in problem.hint


@pytest.mark.parametrize("sql", ["select '{{ .Id }}'::uuid", "create role ${name}"])
def test_a_template_among_the_files_is_called_one(sql: str) -> None:
    _, (problem,) = analyze([schema_file(sql)], [], AnalyzeOptions())
    assert "remove the file from `schema`" in problem.hint


def test_a_stand_in_goes_into_the_schema_its_extension_is_made_with() -> None:
    sql = """select pg_catalog.set_config('search_path', '', false); create schema ext;
        create extension citext with schema ext; comment on extension citext is 'text';
        alter extension citext update; create extension hstore schema public;
        create table public.t (c ext.citext not null, h public.hstore not null)"""
    analysis, problems = analyze(
        [schema_file(sql)], [query("select c, h from t")], AnalyzeOptions()
    )
    assert problems == ()
    assert [c.type.schema for c in analysis.queries[0].columns] == ["ext", "public"]


@pytest.mark.parametrize(
    "block",
    [
        "create extension if not exists unaccent; update t set slug = unaccent(slug);",
        "execute 'create extension \"unaccent\" with schema public'; perform unaccent('a');",
    ],
)
def test_an_extension_that_a_block_creates_has_a_stand_in_too(block: str) -> None:
    sql = f"create table t (slug text); do $$ begin alter table t add b int; {block} end $$"
    asked = query("select unaccent(slug), b from t")
    assert analyze([schema_file(sql)], [asked], AnalyzeOptions())[1] == ()


def test_a_column_that_a_block_has_added_may_be_added_again_for_other_tools() -> None:
    sql = """create table t (id int); do $$ begin alter table t add slug text; end $$;
        alter table t add column slug text not null, add column b int not null"""
    analysis, (note,) = analyze(
        [schema_file(sql)], [query("select slug, b from t")], AnalyzeOptions()
    )
    assert (note.code, note.severity) == ("E217", Severity.WARNING)
    assert [column.not_null for column in analysis.queries[0].columns] == [False, True]


@pytest.mark.parametrize("copy", ["copy t from stdin", "copy t to stdout"])
def test_a_copy_with_nobody_at_the_other_end_is_an_error_and_nothing_hangs(copy: str) -> None:
    file = schema_file(f"create table t (id int); insert into t values (1); {copy}")
    _, (problem,) = analyze([file], [], AnalyzeOptions())
    assert (problem.code, problem.hint) == ("E203", "leave it out, or write INSERT")


def test_a_shim_stands_in_for_its_extension() -> None:
    shim = schema_file("create domain geometry as text", "shims/postgis.sql")
    file = schema_file("create extension postgis; create table t (g geometry not null)")
    analysis, problems = analyze([file], [query("select g from t")], AnalyzeOptions(shims=(shim,)))
    assert problems == ()
    assert analysis.queries[0].columns[0].not_null


def test_roles_that_a_schema_only_mentions_are_made() -> None:
    sql = "create table t (id int); grant select on t to a_reader; alter table t owner to an_owner"
    _, problems = analyze([schema_file(sql)], [], AnalyzeOptions())
    assert problems == ()


def test_a_role_that_a_block_makes_may_be_there_from_another_schema() -> None:
    block = "do $$ begin create role made_in_a_block login; end $$; create table t (id int)"
    for schema in (block, f"{block}; grant select on t to made_in_a_block"):
        _, problems = analyze([schema_file(schema)], [], AnalyzeOptions())
        assert problems == ()


def test_a_file_that_cannot_run_in_a_transaction_runs_without() -> None:
    sql = "create type e as enum ('a'); alter type e add value 'b';"
    sql += " create table t (x e default 'b'); create index concurrently on t (x)"
    analysis, problems = analyze([schema_file(sql)], [], AnalyzeOptions())
    assert problems == ()
    (enum,) = (t for t in analysis.catalog.types if t.kind is TypeKind.ENUM)
    assert enum.labels == ("a", "b")


def test_what_follows_a_dump_in_its_file_is_searched_for_again() -> None:
    sql = "select pg_catalog.set_config('search_path', '', false);"
    sql += " create table public.t (id int primary key); create table u (t int references t (id))"
    sql += "; create table v (id int)"
    asked = [query("select id from t"), query("select t from u"), query("select id from v")]
    analysis, (note,) = analyze([schema_file(sql)], asked, AnalyzeOptions())
    assert (note.code, note.severity) == ("E217", Severity.WARNING)
    assert len(analysis.queries) == 3


def test_settings_of_one_file_do_not_reach_the_next() -> None:
    first = schema_file("set search_path = ''; create table public.t (id int)", "1.sql")
    second = schema_file("create table u (id int)", "2.sql")
    _, problems = analyze(
        [first, second], [query("select id from t"), query("select id from u")], AnalyzeOptions()
    )
    assert problems == ()


UNORDERED = {
    "a type": {
        "histories": "create table histories (id int primary key, kind post not null);"
        " alter table histories add more int; create index on histories (kind)",
        "types": "create type post as enum ('a')",
    },
    "a chain of keys": {
        "a": "create table histories (id int primary key references b)",
        "b": "create table b (id int primary key references c)",
        "c": "create table c (id int primary key)",
    },
    "a view and a function": {
        "a": "create view histories as select f(id) as id from t",
        "b": "create function f(int) returns int language sql return $1",
        "c": "create table t (id int)",
    },
    "who needs it is first too": {
        "a": "create table histories (id int primary key, x kind)",
        "b": "create table b (id int references histories)",
        "c": "create type kind as enum ('a')",
    },
}


@pytest.mark.parametrize("name", UNORDERED)
def test_files_without_numbers_are_run_in_the_order_in_which_they_find_what_they_need(
    name: str,
) -> None:
    files = [schema_file(sql, f"schema/{stem}.sql") for stem, sql in UNORDERED[name].items()]
    for _ in range(2):  # the second time from the database that is kept
        analysis, problems = analyze(files, [query("select * from histories")], AnalyzeOptions())
        assert {(p.code, p.severity) for p in problems} == {("E217", Severity.WARNING)}
        assert "runs later" in problems[0].message
        assert "because it needs" in problems[0].message
        assert len(analysis.queries) == 1


def test_numbered_files_stay_in_their_order_and_a_circle_is_said_as_it_was_met() -> None:
    first = "create table histories (id int, kind post)"
    numbered = [
        schema_file(first, "m/1_a.sql"),
        schema_file("create type post as enum ()", "m/2_b.sql"),
    ]
    _, (problem,) = analyze(numbered, [], AnalyzeOptions())
    assert problem.code == "E201"
    circle = [
        schema_file("create table a (id int primary key references b)", "s/a.sql"),
        schema_file("create table b (id int primary key references a)", "s/b.sql"),
    ]
    _, (problem,) = analyze(circle, [], AnalyzeOptions())
    assert (problem.code, problem.labels[0].file.path.name) == ("E202", "a.sql")


def test_a_function_of_an_extension_that_nobody_creates_comes_with_the_line_that_does() -> None:
    file = schema_file("create table of_no_extension (id int)")
    _, (problem,) = analyze([file], [query("select uuid_generate_v4()")], AnalyzeOptions())
    assert problem.code == "E312"
    assert 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp";' in problem.hint


def test_an_extension_in_a_schema_that_only_its_role_searches_is_found() -> None:
    made = schema_file("create schema app; create extension pgcrypto schema app")
    used = schema_file("create table app.t (salt bytea not null default gen_random_bytes(8))")
    analysis, (note,) = analyze([made, used], [query("select salt from app.t")], AnalyzeOptions())
    assert (note.code, note.severity) == ("E217", Severity.WARNING)
    assert "not in the search path" in note.message
    assert len(analysis.queries) == 1


@pytest.mark.parametrize("schema", ["public", "ext"])
def test_a_dump_may_name_what_an_extension_has_with_the_schema_it_is_in(schema: str) -> None:
    sql = f"""create schema if not exists {schema}; create domain email as {schema}.citext;
        create table t (a email, b {schema}.citext[], c uuid default {schema}.uuid_generate_v4())"""
    analysis, notes = analyze([schema_file(sql)], [query("select a, b from t")], AnalyzeOptions())
    assert {(note.code, note.severity) for note in notes} == {("E217", Severity.WARNING)}
    shown = [column.type for column in analysis.queries[0].columns]
    assert [(kind.base or kind).schema for kind in shown] == [schema] * 2


def test_the_catalog_tells_what_generators_need() -> None:
    sql = """create table t (id int primary key, s varchar(20) not null, n numeric(10, 2),
        tags text[] not null default '{}', unique (s));
        comment on table t is 'things'; comment on column t.s is 'a name'"""
    analysis, _ = analyze([schema_file(sql)], [], AnalyzeOptions())
    (table,) = analysis.catalog.tables
    s, n, tags = table.columns[1:]
    assert (table.comment, s.comment, s.type.length) == ("things", "a name", 20)
    assert (n.type.precision, n.type.scale, n.not_null) == (10, 2, False)
    assert (tags.type.array_dims, tags.has_default) == (1, True)
    kinds = {c.name: (c.kind, c.columns) for c in table.constraints}
    assert kinds["t_pkey"] == ("primary", ("id",))
    assert kinds["t_s_key"] == ("unique", ("s",))


def test_the_catalog_says_what_is_proved_of_a_views_columns() -> None:
    sql = """create table t (id int primary key, s text, tags text[] not null);
        create view v as
            select id, s, count(*) over () n, array_remove(tags, null) full_tags from t;
        create view w as select v.n, t.id from t left join v on v.id = t.id;
        create materialized view m as select id from t"""
    analysis, _ = analyze([schema_file(sql)], [], AnalyzeOptions())
    known = {t.name: [c.not_null for c in t.columns] for t in analysis.catalog.tables}
    assert known["v"] == [True, False, True, True]
    assert known["w"] == [False, True]
    assert known["m"] == [False]


def test_a_file_goes_to_the_server_in_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    execute = Connection.execute

    def counted(self: Connection, sql: str, values: Sequence[str | None] | None = None) -> Any:
        sent.append(sql)
        return execute(self, sql, values)

    monkeypatch.setattr(Connection, "execute", counted)
    tables = "".join(f"create table once{n} (id int); -- {n}\n" for n in range(30))
    _, problems = analyze([schema_file(tables)], [], AnalyzeOptions())
    assert problems == ()
    assert sum("create table once" in sql for sql in sent) == 1


# What a statement reads as depends on those before it, and an error undoes none of them.
ONE_BY_ONE = {
    "create table t (n text); create tabel u (); create table v (n int)": 1,
    "create table t (n text); commit; create table t2 (n text); select 1 / 0": 1,
    "create schema app; set search_path = app; create table t (n text)": 0,
    "create table t (n text) -- the last line": 0,
}


@pytest.mark.parametrize("sql", ONE_BY_ONE)
def test_statements_that_go_together_mean_what_they_mean_one_by_one(sql: str) -> None:
    analysis, problems = analyze([schema_file(sql)], [], AnalyzeOptions())
    assert len([item for item in problems if item.severity is Severity.ERROR]) == ONE_BY_ONE[sql]
    assert "t" in {table.name for table in analysis.catalog.tables}


@pytest.mark.parametrize(
    "setting",
    ["set standard_conforming_strings = off", "-- off\nSET standard_conforming_strings TO off",
     "select set_config('standard_conforming_strings', 'off', false)"],
)  # fmt: skip
def test_a_setting_holds_for_the_next_statement(setting: str) -> None:
    sql = f"{setting}; create type e as enum ('a\\tb')"
    analysis, _ = analyze([schema_file(sql)], [], AnalyzeOptions())
    assert [kind.labels for kind in analysis.catalog.types if kind.name == "e"] == [("a\tb",)]
