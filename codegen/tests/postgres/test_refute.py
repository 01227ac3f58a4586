"""A user's `!` is tested only on rows that the schema allows."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import psycopg
import pytest
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import AnalyzeOptions, SqlType
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.population import Population
from aiosqlc.postgres.sampling import Sampler
from msgspec.structs import replace

from tests.golden import CONFIG, analyzer_on
from tests.postgres.asking import schema_file
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

SCHEMA = """
create type mood as enum ('calm', 'wild');
create domain code as text check (value in ('left', 'right'));
create table region (id int primary key);
insert into region values (7);
create table place (
    id int generated always as identity primary key,
    region_id int not null references region (id),
    iso text not null check (iso ~ '^[A-Z]{2}$'),
    side code not null,
    doubled int generated always as (region_id * 2) stored,
    unique (region_id, iso, side)
);
create table visit (
    id uuid primary key,
    place_id int references place (id) deferrable initially deferred,
    before uuid references visit (id),
    mood mood not null,
    tags text[] not null check (array_position(tags, null) is null),
    at timestamptz not null default now(),
    check (mood = 'calm' or place_id is not null)
);
create table entry (day date not null, visit_id uuid not null references visit (id))
    partition by range (day);
create table entry_2024 partition of entry for values from ('2024-01-01') to ('2025-01-01');
create function hush() returns trigger language plpgsql as $$ begin
    if new.mood = 'wild' then new.place_id = (select max(id) from place); end if;
    return new; end $$;
create trigger hush before insert on visit for each row execute function hush();
"""

REFUTED = [
    ("select place_id as x from visit", "nullable column"),
    ("select r.id as y, v.id as x from region r left join visit v on false", "outer join"),
    ("select p.id as x from visit v left join place p on p.id = v.place_id", "optional key"),
    ("select min(at) as x from visit", "empty set"),
    ("select (select id from visit limit 1) as x from region", "scalar subquery"),
    ("select nullif(id, $1) as x from region", "an argument"),
    ("select lag(day) over (order by day) as x from entry", "first row of a window"),
    ("delete from visit where before is null returning place_id as x", "returned"),
    ("select x from (select place_id as x from visit union all select 1) u", "set operation"),
    ("select case when mood = 'wild' then 1 end as x from visit", "an enum's label"),
    ("select case when side = 'right' then null else 1 end as x from place", "a domain's value"),
]  # fmt: skip
TRUE = [
    "select p.id as x from visit v left join place p on p.id = v.place_id where v.mood = 'wild'",
    "select r.id as x from place p left join region r on r.id = p.region_id",
    "select doubled as x from place",
    "select day as x from entry left join visit v on v.id = entry.visit_id",
    "select v.mood as x from entry left join visit v on v.id = entry.visit_id",
]


def compiled(folder: Path, url: str, sql: str, hint: str = "x !") -> tuple[Diagnostic, ...]:
    queries = f"-- name: Q :many\n-- column: {hint}\n{sql};\n"
    write_project(folder, {"sqlc.yaml": CONFIG, "schema.sql": SCHEMA, "queries.sql": queries})
    return tuple(compile_project(loaded(folder), analyzer_on(url)).diagnostics)


@pytest.fixture(scope="module")
def url(postgres_server: TestPostgres) -> str:
    return postgres_server.create_empty()


@pytest.mark.parametrize("sql", [sql for sql, _ in REFUTED])
def test_a_hint_is_refuted_by_a_row_that_can_happen(sql: str, tmp_path: Path, url: str) -> None:
    [problem] = compiled(tmp_path, url, sql)
    assert problem.code == "E361"
    assert "x = NULL" in problem.notes[0]
    [label] = problem.labels
    assert label.file.text[label.span.start : label.span.end] == "x !"


@pytest.mark.parametrize("sql", TRUE)
def test_a_hint_that_constraints_keep_true_is_believed(sql: str, tmp_path: Path, url: str) -> None:
    assert compiled(tmp_path, url, sql) == ()


def test_the_same_row_refutes_in_every_run(tmp_path: Path, url: str) -> None:
    sql = "select v.before as x, p.iso from visit v join place p on p.id = v.place_id"
    assert compiled(tmp_path, url, sql) == compiled(tmp_path, url, sql) != ()


def test_a_question_mark_needs_no_refutation(tmp_path: Path, url: str) -> None:
    assert compiled(tmp_path, url, "select id as x from region", "x ?") == ()


def test_a_bulk_insert_is_refuted_once(tmp_path: Path, url: str) -> None:
    compiled(tmp_path, url, "select 1 as x")
    (tmp_path / "queries.sql").write_text(
        "-- name: Q :many :bulk\n-- column: before !\n"
        "insert into visit (id, before, mood, tags) values (@id, @before, @mood, '{}')"
        " returning before;\n"
    )
    found = compile_project(loaded(tmp_path), analyzer_on(url)).diagnostics
    assert [problem.code for problem in found] == ["E361"]


def test_every_table_is_filled_within_its_constraints() -> None:
    schema = (schema_file(SCHEMA),)
    with Analyzer() as analyzer:
        opened = analyzer.opened(schema, AnalyzeOptions())
        assert opened is not None
        connection, facts = opened
        population = Population(connection, facts, Sampler(1), facts.relations)
        filled: dict[str, int] = {}
        for _ in range(8):
            connection.run("begin")
            population.fill(4)
            for table, rows in population.rows.items():
                name = facts.relation_name(table)
                filled[name] = filled.get(name, 0) + len(rows)
            refused = connection.run("set constraints all immediate")
            connection.run("rollback")
            assert refused is None
        assert all(filled[name] > 3 for name in ("region", "place", "visit", "entry")), filled
        assert connection.rows("select count(*) from place") == [("0",)]


def test_sampled_times_are_those_that_python_can_hold() -> None:
    sampler = Sampler(0)
    found = {sampler.value(SqlType("pg_catalog", "time")) or "" for _ in range(40)}
    assert len({time.fromisoformat(text) for text in found}) == 3  # not 24:00


def test_an_array_is_as_deep_as_it_is_declared() -> None:
    kind = SqlType("pg_catalog", "int4", array_dims=2)
    found = {Sampler(seed).value(kind) for seed in range(20)}
    assert any(text and text != "{}" for text in found)
    assert all(text == "{}" or (text or "").startswith("{{") for text in found), found


def test_a_database_taken_as_it_is_is_left_alone(tmp_path: Path, empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("create table t (id int generated always as identity, note text)")
    (tmp_path / "queries.sql").write_text(
        "-- name: Q :many\n-- column: note !\nselect note from t;"
    )
    config = CONFIG.replace(
        "    schema: schema.sql\n", f"    database: {{uri: '{empty_database}'}}\n"
    )
    (tmp_path / "sqlc.yaml").write_text(config)
    assert compile_project(loaded(tmp_path)).diagnostics == []


def test_a_hint_once_tried_out_is_remembered_with_the_query(tmp_path: Path) -> None:
    from aiosqlc.pipeline.build import build

    (tmp_path / "schema.sql").write_text(
        "create table t (id int primary key, b int check (b > 0));"
    )
    (tmp_path / "queries.sql").write_text(
        "-- name: Q :many\n-- column: b !\nselect b from t where id > 0 and b + id > 0;\n"
        "-- name: R :many\n-- column: c !\nselect nullif(b, 0) as c from t where b is not null;\n"
    )
    (tmp_path / "sqlc.yaml").write_text(CONFIG)
    project = loaded(tmp_path)
    assert build(project, lambda found: None) == 0

    def nobody(*_: object) -> object:
        pytest.fail("a server was asked")

    (tmp_path / "expected" / "queries.py").unlink()
    assert build(replace(project), lambda found: None, nobody) == 0  # type: ignore[arg-type]
