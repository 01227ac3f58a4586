"""A configuration becomes values, or errors with positions."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.config.load import find_config, load_project
from aiosqlc.config.project import ModelKind, Project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.drivers import default_driver
from aiosqlc.source import Dialect


def load(folder: Path, text: str, **environ: str) -> tuple[Project | None, list[Diagnostic]]:
    path = folder / "sqlc.yaml"
    path.write_text(text)
    return load_project(path, environ)


def good(folder: Path, text: str, **environ: str) -> Project:
    """Load a configuration without errors."""
    project, problems = load(folder, text, **environ)
    assert problems == []
    assert project
    return project


def test_paths_start_at_the_configuration(tmp_path: Path) -> None:
    project = good(
        tmp_path,
        'version: "2"\nsql:\n- {engine: postgresql, schema: [a, b], queries: q, strict: true,'
        " gen: {python: {out: ../out, models: attrs}, json: {out: o, filename: f.json}}}\n",
    )
    [entry] = project.sets
    assert entry.schema == ("a", "b")
    assert entry.strict
    assert entry.python
    assert entry.python.out == tmp_path / "../out"
    assert entry.python.models is ModelKind.ATTRS
    assert entry.json
    assert entry.json.filename == "f.json"


def test_the_servers_uri_may_come_from_the_environment(tmp_path: Path) -> None:
    text = (
        'version: "2"\nsql:\n- {engine: postgresql, schema: s, queries: q,'
        ' database: {uri: "postgresql://u:${PASSWORD}@h/d"}}\n'
    )
    project = good(tmp_path, text, PASSWORD="secret")
    assert project.sets[0].database_uri == "postgresql://u:secret@h/d"


def test_what_is_missing_in_the_environment_is_said_once_and_all_of_it(tmp_path: Path) -> None:
    entry = (
        '- {engine: postgresql, queries: q, database: {uri: "postgres://${A_USER}@${A_HOST}/x"}}\n'
    )
    _, (problem,) = load(tmp_path, f'version: "2"\nsql:\n{entry}{entry}')
    assert problem.message == "environment variables A_USER and A_HOST are not set"
    assert "under `schema`" in problem.hint


def test_json_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "sqlc.json"
    path.write_text(
        '{"version": "2", "sql": [{"engine": "postgresql", "schema": "s", "queries": "q"}]}'
    )
    assert find_config(None, tmp_path) == path
    project, problems = load_project(path)
    assert problems == []
    assert project
    assert len(project.sets) == 1


def test_json_may_be_indented_by_tabs(tmp_path: Path) -> None:
    path = tmp_path / "sqlc.json"
    entry = '{"engine": "postgresql",\t"schema": "s", "quary": "q"}'
    path.write_text(f'{{\n\t"version": "2",\n\t"sql": [\n\t\t{entry}\n\t]\n}}\n')
    _, problems = load_project(path)
    assert problems[0].message == "unknown key `quary` in this entry"
    label = problems[0].labels[0]
    assert label.file.text[label.span.start : label.span.end] == '"quary"'
    assert label.file.text == path.read_text()


def test_other_generators_are_named_as_skipped(tmp_path: Path) -> None:
    _, problems = load(
        tmp_path,
        'version: "2"\nsql:\n- {engine: postgresql, schema: s, queries: q,'
        " gen: {go: {package: db, out: db}}}\n",
    )
    assert [(item.code, item.severity.value) for item in problems] == [("E004", "warning")]


BROKEN = [
    "",
    "just text",
    "a: [",
    "version: '1'\npackages: []\n",
    "version: '2'\n",
    "version: '2'\nsql: 5\n",
    "version: '2'\nsql:\n- 5\n",
    "version: '2'\nsql:\n- {engine: postgresql}\n",
    "version: '2'\nversion: '2'\nsql: []\n",
]


@pytest.mark.parametrize("text", BROKEN)
def test_whatever_the_text_there_is_a_complaint_with_a_place(text: str, tmp_path: Path) -> None:
    _, problems = load(tmp_path, text)
    assert problems
    assert all(item.labels for item in problems)


def test_a_missing_configuration_says_what_to_do(tmp_path: Path) -> None:
    found = find_config(None, tmp_path)
    assert isinstance(found, Diagnostic)
    assert "aiosqlc init" in found.hint


def test_entries_may_take_over_what_others_say(tmp_path: Path) -> None:
    project = good(
        tmp_path,
        'version: "2"\nsql:\n- &first\n  engine: postgresql\n  schema: s\n  queries: a\n'
        "  gen: {python: &code {out: a, models: attrs}}\n"
        "- <<: *first\n  queries: b\n  gen:\n    python:\n      <<: *code\n      out: b\n",
    )
    second = project.sets[1]
    assert (second.schema, second.queries) == (("s",), ("b",))
    assert second.python
    assert (second.python.out, second.python.models) == (tmp_path / "b", ModelKind.ATTRS)


def test_an_entry_for_another_engine_of_sqlcs_is_left_out(tmp_path: Path) -> None:
    project, problems = load(
        tmp_path,
        'version: "2"\nsql:\n- {engine: sqlite, schema: s, queries: q, gen: {go: {out: x}}}\n'
        "- {engine: mysql, schema: s, queries: q}\n",
    )
    assert project
    assert [(entry.index, entry.engine) for entry in project.sets] == [(1, "mysql")]
    assert [(item.code, item.severity, item.message) for item in problems] == [
        ("E004", "warning", "sqlite is not supported: this entry is skipped")
    ]


def test_an_entry_without_a_schema_has_an_empty_one(tmp_path: Path) -> None:
    project = good(tmp_path, 'version: "2"\nsql:\n- {engine: postgresql, queries: q}\n')
    assert project.sets[0].schema == ()


def test_of_a_version_1_file_only_the_version_is_said(tmp_path: Path) -> None:
    _, problems = load(
        tmp_path,
        'version: "1"\npackages:\n- {path: db, queries: q, schema: s}\nrename: {id: ID}\n',
    )
    assert [(item.code, item.hint) for item in problems] == [
        ("E003", "`aiosqlc init` converts the file, and saves the old file under another name")
    ]


def test_options_of_sqlcs_own_python_generator_are_no_mistakes(tmp_path: Path) -> None:
    options = "out: o, emit_pydantic_models: true, emit_sync_querier: true"
    project, problems = load(
        tmp_path,
        'version: "2"\nsql:\n- {engine: postgresql, schema: s, queries: q, gen: {python: {'
        f"{options}, emit_async_querier: true}}}}}}\n",
    )
    assert project
    assert project.sets[0].python
    assert project.sets[0].python.models is ModelKind.PYDANTIC
    assert sorted(item.message for item in problems if item.severity == "warning") == [
        "`emit_async_querier` has no effect in aiosqlc",
        "`emit_sync_querier` has no effect in aiosqlc",
    ]
    assert len(problems) == 2


DRIVER = (
    'version: "2"\nsql:\n- {{engine: {engine}, schema: s, queries: q,'
    " gen: {{python: {{out: o, driver: {driver}}}}}}}\n"
)


def test_the_driver_is_the_engines_own_where_none_is_named(tmp_path: Path) -> None:
    for given, beside in (("psycopg-sync", ()), ("[psycopg-sync, asyncpg]", ("asyncpg",))):
        project = good(tmp_path, DRIVER.format(engine="postgresql", driver=given))
        assert project.sets[0].python
        assert project.sets[0].python.driver == "psycopg-sync"
        assert project.sets[0].python.beside == beside
    for engine in ("postgresql", "mysql"):
        good(tmp_path, DRIVER.format(engine=engine, driver="sqlalchemy"))
    assert default_driver(Dialect.POSTGRESQL).name == "asyncpg"
    assert default_driver(Dialect.MYSQL).name == "aiomysql"


@pytest.mark.parametrize(
    ("engine", "driver", "hint"),
    [
        ("postgresql", "psycop", "did you mean `psycopg`?"),
        ("postgresql", "aiomysql", "asyncpg, psycopg"),
        ("mysql", "asyncpg", "aiomysql"),
        ("mysql", "[pymysql, asyncpg]", "aiomysql"),
        ("mysql", "sqlalchemy-psycopg", "sqlalchemy-sync"),
    ],
)
def test_a_driver_that_is_not_the_engines_is_an_error_that_names_those_that_are(
    tmp_path: Path, engine: str, driver: str, hint: str
) -> None:
    _, [problem] = load(tmp_path, DRIVER.format(engine=engine, driver=driver))
    assert problem.labels
    assert hint in (problem.hint or "")
