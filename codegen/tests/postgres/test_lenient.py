"""Parts of a schema that no query can see are ignored; parts that matter are reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.diagnostics import Severity
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer

from tests.postgres.asking import query, schema_file

# Statements after `create table t (id int not null, p text)`, each accepted without a word.
ACCEPTED = {
    "compression": """create table x (a text compression lz4);
        alter table t alter p set compression lz4""",
    "tablespaces": """create tablespace fast location '/fast';
        create table x (a int) tablespace fast; create unique index on t (id) tablespace fast;
        alter table t set tablespace fast; set default_tablespace = fast;
        create table y (a int primary key using index tablespace fast)""",
    "storage parameters": """create table x (a int) with (orientation = column, fast = true);
        alter table t set (fast = true); alter table t reset (fast);
        create index on t (id) with (fast = 1)""",
    "settings": """set transaction_time_out = 0; set default_table_access_method = heap;
        set a_setting_of_nobody = 1""",
    "access methods": """create table x (a int) using columnar; create index on t using rum (p);
        create index on t using gin (p a_text_ops); create index on t using gist (id)""",
    "owners and grants": """alter table t owner to some_owner; grant select on t to some_reader;
        revoke all on t from some_reader; alter role some_reader set search_path = x;
        alter default privileges for role some_owner grant select on tables to some_reader""",
    "what is the cluster's": """create database other;
        alter database postgres set work_mem = '1MB'; create publication p for table t;
        create subscription s connection 'host=nowhere' publication p;
        alter system set work_mem = '1MB'; drop publication p""",
    "event triggers": """create function ddl() returns event_trigger language plpgsql as
            $$begin raise exception 'no'; end$$;
        create event trigger e on ddl_command_end execute function ddl();
        create table x (a int); alter event trigger e disable; drop event trigger e""",
    "extensions made in blocks": """
        do $$ begin
            if not exists (select 1 from pg_extension where extname = 'postgis') then
                create extension if not exists postgis with schema public version '3.4' cascade;
            end if;
            execute 'CREATE EXTENSION "uuid-ossp"';
            create table x (a int, place geometry(point, 4326) not null);
        exception when duplicate_object then raise notice 'there';
        end $$;
        do $$ begin create extension timescaledb; exception when others then null; end $$;
        select create_hypertable('x', 'a')""",
    "security labels": "security label on table t is 'secret'",
    "schema public": "create schema public; create schema if not exists public",
    "other languages": """create extension plpython3u; create language plperl;
        create function py(a int) returns text language plpython3u strict as $$ return str(a) $$;
        create function js() returns json language 'plv8' as $$ return {} $$;
        comment on extension plpython3u is 'x'""",
    "bodies of what comes later": """create function early() returns int language sql as
        $$ select a from later $$; create table later (a int)""",
    "temporary tables": """create temp table seen (a int not null);
        create local temporary table w (a int) on commit preserve rows;
        create temp table gone (a int) on commit drop""",
}
ASKED = {
    "other languages": ["select py(id), js() from t"],
    "bodies of what comes later": ["select early()"],
    "temporary tables": ["select a from seen", "select a from w"],
    "compression": ["select a from x"],
    "tablespaces": ["select a from x", "select a from y"],
    "storage parameters": ["select a from x"],
    "access methods": ["select a from x"],
    "event triggers": ["select a from x"],
    "extensions made in blocks": [
        "select st_x(place), uuid_generate_v4() from x",
        "select time_bucket('1 day', now())",
    ],
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_no_query_sees_is_accepted_without_effect(what: str, analyzer: Analyzer) -> None:
    file = schema_file(f"create table t (id int not null, p text); {ACCEPTED[what]}")
    queries = [
        query(sql, f"Q{n}") for n, sql in enumerate(["select id from t", *ASKED.get(what, [])])
    ]
    analysis, problems = analyzer.analyze([file], queries, AnalyzeOptions())
    assert problems == ()
    assert len(analysis.queries) == len(queries)
    assert analysis.queries[0].columns[0].not_null


def test_nothing_is_claimed_of_a_function_in_another_language(analyzer: Analyzer) -> None:
    sql = "create function py(a int) returns int language plpython3u strict as $$ return 1 $$"
    analysis, _ = analyzer.analyze([schema_file(sql)], [query("select py(1)")], AnalyzeOptions())
    assert not analysis.queries[0].columns[0].not_null


LEFT_OUT = "a constraint is skipped"
SAID = {
    "create table x (a blob not null, b datetime)": "`blob` is not a PostgreSQL type; bytea",
    "create table x (a daterange not null, b int, exclude using gist (a with &&, b with =))": (
        LEFT_OUT
    ),
    """create table x (a daterange not null);
    alter table x add constraint k exclude using gist (a with &&, (1) with =)""": LEFT_OUT,
    "create table x (a daterange not null, b int, primary key (b, a without overlaps))": LEFT_OUT,
    "create table x (a citext not null)": "the schema uses the extension citext without",
    "create table x (a int not null); select create_hypertable('x', 'a')": (
        "the schema uses the extension timescaledb without"
    ),
    "create table x (a int not null); select cron.schedule('x', '* * * * *', 'vacuum x')": (
        "the schema uses the extension pg_cron without"
    ),
    "create table cron.x (a int); create table x (a int not null)": "no statement creates the",
    "create table x (a vector(3) not null)": "the schema uses the extension vector without",
    "create table x (a geometry(point, 4326) not null)": "the schema uses the extension postgis",
    "create schema information_schema; create table x (a int not null)": "skipped, because",
    "create table information_schema.tables (b int); create table x (a int not null)": (
        "skipped, because the server already has this object"
    ),
    "create table pg_catalog.pg_more (b int); create table x (a int not null)": "skipped, because",
    "create table x (a int not null); alter table x disable trigger gone": "skipped, because",
    'create table x (a int not null); alter table only x enable always trigger "Gone Too"': (
        "skipped, because the object to enable or disable does not exist"
    ),
    "create table x (a int not null); alter table x disable rule r": "skipped, because the object",
    "create extension wonderful; create table x (a int not null)": 'extension "wonderful" is not',
}


def test_a_schema_that_nothing_creates_is_assumed_with_a_warning(analyzer: Analyzer) -> None:
    sql = """create table "App".x (a int not null); create type "App".k as enum ('v');
        create schema "App"; create schema if not exists "App"; create schema other"""
    asked = [query('select a from "App".x')]
    analysis, (warning,) = analyzer.analyze([schema_file(sql)], asked, AnalyzeOptions())
    assert warning.code == "E217"
    assert (
        warning.message
        == 'no statement creates the schema "App"; the compiler assumes that it exists'
    )
    assert analysis.queries[0].columns[0].not_null


def test_a_schema_is_not_assumed_for_what_changes_something_in_it(analyzer: Analyzer) -> None:
    sql = "create table x (a int not null); alter table app.x add column b int"
    asked = [query("select a from x"), query("select b from app.x", "B")]
    analysis, (error,) = analyzer.analyze([schema_file(sql)], asked, AnalyzeOptions())
    assert error.severity is Severity.ERROR
    assert len(error.costs) == 1
    assert [item.parsed.name for item in analysis.queries] == ["Q"]


@pytest.mark.parametrize("schema", SAID)
def test_what_is_left_out_or_stood_in_for_is_a_warning_in_every_run(
    schema: str, analyzer: Analyzer
) -> None:
    asked = [query("select a from x")]
    analysis, first = analyzer.analyze([schema_file(schema)], asked, AnalyzeOptions())
    assert first[0].message.startswith(SAID[schema])
    assert {item.severity for item in first} == {Severity.WARNING}
    assert analysis.queries[0].columns[0].not_null
    with Analyzer() as later:
        _, second = later.analyze([schema_file(schema)], asked, AnalyzeOptions())
    assert second == first


def test_a_unique_index_that_cannot_be_made_is_no_small_thing(analyzer: Analyzer) -> None:
    sql = "create table t (p text); create unique index on t (p no_such_ops)"
    _, (problem,) = analyzer.analyze([schema_file(sql)], [], AnalyzeOptions())
    assert problem.severity is Severity.ERROR


def test_a_missing_type_comes_with_the_line_that_declares_it(analyzer: Analyzer) -> None:
    schema = schema_file("create table t (a gizmo not null)")
    asked = [query("select a from t")]
    _, (problem,) = analyzer.analyze([schema], asked, AnalyzeOptions())
    shim = problem.hint.split("`")[1]
    assert shim == "CREATE DOMAIN gizmo AS text;"
    options = AnalyzeOptions(shims=(schema_file(shim.removesuffix(";"), "types.sql"),))
    analysis, problems = analyzer.analyze([schema], asked, options)
    assert problems == ()
    assert analysis.queries[0].columns[0].not_null


def test_a_query_that_meets_a_left_out_key_is_refused_not_mistyped(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    sql = "create table x (a daterange, b int not null, primary key (b, a without overlaps))"
    asked = [query("select 1 as one from x where b = 1 and a = 'empty'")]
    analysis, _ = analyzer.analyze([schema_file(sql)], asked, AnalyzeOptions())
    assert not analysis.queries[0].cardinality.at_most_one


TEMPORAL = """
    create table p (id int, during daterange, primary key (id, during without overlaps));
    create table x (a int not null, p_id int, during daterange,
        foreign key (p_id, period during) references p (id, period during));
    create table y (b int not null, p_id int, during daterange);
    alter table y add constraint y_p foreign key (p_id, period during) references p
"""


def test_a_foreign_key_to_a_skipped_key_is_skipped_with_the_same_warning(
    analyzer: Analyzer,
) -> None:
    asked = [query("select a, b from x join y using (p_id)")]
    analysis, problems = analyzer.analyze([schema_file(TEMPORAL)], asked, AnalyzeOptions())
    assert [(item.code, item.severity) for item in problems] == [("E217", Severity.WARNING)] * 3
    skipped = 'a foreign key is skipped, because a constraint of the table "p" is skipped'
    assert [item.message for item in problems[1:]] == [skipped] * 2
    assert [column.not_null for column in analysis.queries[0].columns] == [True, True]


def test_a_foreign_key_to_a_key_that_is_not_declared_is_an_error(analyzer: Analyzer) -> None:
    schema = TEMPORAL.replace(", primary key (id, during without overlaps)", "")
    _, problems = analyzer.analyze([schema_file(schema)], [], AnalyzeOptions())
    assert {item.severity for item in problems} == {Severity.ERROR}


def test_a_key_counts_by_itself_in_a_schema_that_is_sqlites_too(analyzer: Analyzer) -> None:
    schema = schema_file("create table x (id integer primary key, a blob not null)")
    asked = query("insert into x (a) values ($1) returning id")
    analysis, problems = analyzer.analyze([schema], [asked], AnalyzeOptions())
    assert [item.severity for item in problems] == [Severity.WARNING]
    assert analysis.queries[0].columns[0].not_null
