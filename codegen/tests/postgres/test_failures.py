"""A failed schema statement is reported once, with its cost; uncertain facts are not claimed."""

from __future__ import annotations

import pytest
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import AnalyzeOptions, Cardinality
from aiosqlc.postgres import Analyzer

from tests.postgres.asking import query, run, schema_file

TABLES = """create table t (id int primary key, n int not null); create table u (id int not null);
    create view v as select n from t; create domain d as int; create table w (x d not null);
    create function f() returns int language sql return 1; create table parent (p int not null);
    create table child () inherits (parent); create type e as enum ('a');
    create table has_e (e e not null);
    create function g() returns bigint language sql return (select count(*) from t);
"""
ASKED = {
    "t": "select n from t",
    "u": "select id from u",
    "v": "select n from v",
    "w": "select x from w",
    "f": "select f()",
    "g": "select g()",
    "parent": "select p from parent",
    "child": "select p from child",
    "has_e": "select e from has_e",
}

# The statement that fails: the queries that are not compiled because of it.
FAILING = {
    # what only adds leaves the rest true
    "create table more (a nothing_of_the_kind)": set(),
    "create index on t (nothing)": set(),
    "alter table t add column a nothing_of_the_kind": set(),
    "alter table t add column a int, add constraint c check (nothing > 0)": set(),
    "alter table t owner to current_role, add a nope": set(),
    "insert into t values (1)": set(),
    "comment on table nothing is 'x'": set(),
    "grant select on nothing to postgres": set(),
    "create function h() returns int language sql return nothing()": set(),
    "drop table nothing": set(),
    # what changes something makes that unsafe, and all that depends on it
    "alter table t alter n drop not null, drop nothing": {"t", "v", "g"},
    "alter table u alter id type bigint using nothing": {"u"},
    "alter table u rename to t": {"t", "u", "v", "g"},
    "alter domain d add constraint k check (nothing)": {"w"},
    "alter type e add value 'b' before 'nothing'": {"has_e"},
    "create or replace function f() returns text language sql return 'a'": {"f"},
    "create or replace view v as select nothing from t": {"t", "v", "g"},
    "alter table parent drop constraint nothing": {"parent", "child"},
    "alter table child alter p drop not null, drop nothing": {"parent", "child"},
    "alter table t attach partition u default": {"t", "u", "v", "g"},
    "create trigger g before insert on u execute function nothing()": set(),
    "alter schema public rename to pg_nothing": set(ASKED),
    "do $$ begin alter table u drop column nothing; end $$": {"u"},
    "do $$ begin execute 'alter table ' || 'u' || ' drop nothing'; end $$": set(ASKED),
    "do $$ begin execute 'drop index ' || 'nothing'; end $$": set(ASKED),
    "do $$ begin execute 'drop table nothing cascade'; end $$": set(),
    "do $$ begin execute format('drop table %I cascade', 'u' || nothing()); end $$": {"u"},
    "with x as (select nothing()) insert into t select 1, 1 from x": set(),
    "select nothing('u')": {"u"},
}


@pytest.mark.parametrize("failing", FAILING)
def test_nothing_is_claimed_that_a_failed_statement_could_have_changed(
    failing: str, analyzer: Analyzer
) -> None:
    asked = [query(sql, name) for name, sql in ASKED.items()]
    analysis, (problem,) = analyzer.analyze(
        [schema_file(f"{TABLES}; {failing}")], asked, AnalyzeOptions()
    )
    compiled = {typed.parsed.name for typed in analysis.queries}
    assert set(ASKED) - compiled == FAILING[failing]
    assert set(problem.costs) == {f"query.sql:{name}" for name in FAILING[failing]}


def lost(schema: str, *sqls: str) -> tuple[Diagnostic, ...]:
    """Return the problems of a schema and of queries named Q0, Q1, …"""
    return run(schema, [query(sql, f"Q{n}") for n, sql in enumerate(sqls)])[1]


def test_what_fails_for_want_of_a_statement_is_said_once_with_the_number_of_queries() -> None:
    (problem,) = lost(
        "create table a (id int, x nope); create table b (a_id int references a);"
        "create view va as select x from a; create table c (id int)",
        "select x from a",
        "select * from b join a on true",
        "select id from c",
        "select * from va",
    )
    assert problem.message == 'type "nope" does not exist'
    assert problem.costs == ("query.sql:Q0", "query.sql:Q1", "query.sql:Q3")
    assert problem.notes == ("2 later statements of the schema failed because of this",)


@pytest.mark.parametrize(
    ("schema", "sql"),
    [
        ("create function f() returns int language sql return nope()", "select f()"),
        ("create type kind as enum ('a', 'a')", "select 'a'::kind"),
        ("alter table t add column a nope", "select a from t"),
        ("create schema pg_x", "select * from pg_x.y"),
    ],
)
def test_a_query_without_what_it_needs_is_counted_there_and_not_blamed(
    schema: str, sql: str
) -> None:
    (problem,) = lost(f"create table t (n int not null); {schema}", sql)
    assert problem.code.startswith("E2")
    assert problem.costs == ("query.sql:Q0",)


def test_a_mistake_of_the_query_itself_stays_its_own() -> None:
    problems = lost(
        "create table t (n int); alter table t add column a nope",
        "select nn from t",
        "select a from s",
    )
    assert [problem.code[:2] for problem in problems] == ["E3", "E3", "E2"]


def test_a_failed_statement_undoes_nothing_of_its_file() -> None:
    file = "create table t (n int); create table u (m nope);"
    file += "set local search_path = pg_temp, public; create role reader_of_t;"
    file += "grant select on t to reader_of_t, another_of_t"
    (problem,) = lost(file, "select n from t")
    assert (problem.code, problem.costs) == ("E201", ())


def test_a_file_that_must_leave_its_transaction_goes_on_after_a_failure() -> None:
    file = "create type e as enum ('a'); create table t (x nope); alter type e add value 'b';"
    file += " create table s (x e default 'b'); create index concurrently on s (x)"
    (problem,) = lost(file, "select x from s")
    assert problem.message == 'type "nope" does not exist'
    assert problem.costs == ()


@pytest.mark.parametrize(
    "keys",
    [
        "create table b (id int not null, o int references outside (id) on delete set null)",
        "create table b (id int not null, o int constraint k references outside deferrable)",
        "create table b (id int not null, o int, constraint k foreign key (o) references outside)",
        """create table b (id int not null, o int);
            alter table b add foreign key (o) references outside""",
        """create table b (id int not null); alter table b add column o int references outside,
            add constraint k foreign key (id) references outside (id) on update cascade""",
    ],
)
def test_a_foreign_key_to_a_table_that_is_not_there_is_an_error_that_costs_nothing(
    keys: str,
) -> None:
    _, problems = run(keys, [query("select id, o from b")])
    (problem,) = problems
    assert (problem.code, problem.costs) == ("E202", ())
    assert run(keys, [query("select id, o from b")])[0].queries[0].columns[0].not_null


def test_a_trigger_without_its_function_costs_nothing_and_may_still_do_anything() -> None:
    file = """create table a (id int primary key); create table b (id int primary key);
        create trigger t before insert or update on a for each row execute function gone();
        create trigger u after delete on a for each row execute function gone();
        create function gone() returns int language sql return 1"""
    inserts = [query("insert into a values (1) returning id"), query("select id, gone() from a")]
    analysis, problems = run(file, inserts)
    assert [(problem.code, problem.costs) for problem in problems] == [("E201", ())] * 2
    assert [q.cardinality.at_most_one for q in analysis.queries] == [True, False]
    certain = run("create table a (id int primary key)", inserts[:1])[0].queries[0].cardinality
    assert (analysis.queries[0].cardinality, certain) == (Cardinality.ZERO_OR_ONE, Cardinality.ONE)


def test_a_file_with_transactions_of_its_own_is_applied_once() -> None:
    file = """begin; create table a (id int); commit; begin transaction; create table b (x nope);
        create table c (id int); end"""
    (problem,) = lost(file, "select id from a", "select id from c")
    assert (problem.message, problem.costs) == ('type "nope" does not exist', ())
