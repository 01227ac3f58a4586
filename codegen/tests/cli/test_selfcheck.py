"""`aiosqlc selfcheck` calls the generated functions, and reports what it could not run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.emit import bodies

from tests.projects import write_project

CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {out: store, package: shop.store, executor: shop.nowhere}
"""
SCHEMA = "CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, bio text);\n"
QUERIES = """\
-- name: ListItems :many
SELECT * FROM item;

-- name: GetItem :one
SELECT name FROM item WHERE id = @id;

-- name: Fails :one
SELECT 1 / 0 AS n;

-- name: ListNothing :many
SELECT id FROM item WHERE id < id;
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {"sqlc.yaml": CONFIG, "schema.sql": SCHEMA, "queries.sql": QUERIES}
    return write_project(tmp_path, files) / "sqlc.yaml"


def test_what_was_not_reached_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selfcheck", "-f", str(project)]) == 0
    said = capsys.readouterr().err
    assert "0 guarantees were disproved" in said
    assert "warning[E362]: `Fails` could not be executed" in said
    assert "row: ListNothing\n" in said
    assert (
        "functions that raised an error on every call: Fails (DivisionByZeroError: division by "
        "zero)" in said
    )


def test_what_cannot_run_is_never_passed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The server accepts the second query at first, but it fails on rows, and there are none."""
    queries = project.parent / "queries.sql"
    queries.write_text('-- name: Q :one\nSELECT count(item."<>") AS n FROM item;\n')
    assert main(["selfcheck", "-f", str(project)]) == 1
    said = capsys.readouterr().err
    assert "error[E311]: column item.<> does not exist" in said
    assert "no query could be executed: fix the errors above, then run the command again" in said
    queries.write_text("-- name: Q :many\nSELECT sum(1 / (id - id)) AS n FROM item;\n")
    (project.parent / "schema.sql").write_text(SCHEMA + "ALTER TABLE item ADD CHECK (id <> id);\n")
    assert main(["selfcheck", "-f", str(project)]) == 0
    assert "no row could be inserted into: item\n" in capsys.readouterr().err


def test_a_value_that_python_cannot_hold_is_no_broken_promise(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.parent / "queries.sql").write_text(
        "-- name: Endless :one\nSELECT 'infinity'::interval AS i;\n"
        "-- name: Ides :one\nSELECT '0044-03-15 BC'::date AS d;\n"
        "-- name: Midnight :one\nSELECT '24:00:00'::time AS t;\n"
    )
    assert main(["selfcheck", "-f", str(project)]) == 0
    said = capsys.readouterr().err
    assert "0 guarantees were disproved" in said
    for name in ("Endless (OverflowError: ", "Ides (ValueError: ", "Midnight (ValueError: "):
        assert f"Python cannot represent the result of: {name}" in said


def test_queries_of_another_engine_are_said_to_be_unreached(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = CONFIG.replace("postgresql", "mysql")
    config = config[: config.index("    gen:")]
    project.write_text(config + "    gen: {python: {out: store, package: shop.store}}\n")
    (project.parent / "queries.sql").write_text("-- name: Q :many\nSELECT id FROM item;\n")
    assert main(["selfcheck", "-f", str(project)]) == 0
    assert (
        "no query could be executed: selfcheck supports PostgreSQL, not mysql"
        in capsys.readouterr().err
    )


def test_a_function_that_breaks_its_promise_is_an_error(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    starmapped = bodies._BODIES[bodies.Command.MANY]
    monkeypatch.setitem(
        bodies._BODIES,
        bodies.Command.MANY,
        lambda function: [
            line.replace(", rows)", ", [r[:-1] for r in rows])") for line in starmapped(function)
        ],
    )
    assert main(["selfcheck", "-f", str(project)]) == 1
    said = capsys.readouterr().err
    assert (
        "error[E360]: ListItems: the result of the function does not match its type annotation"
        in said
    )
    assert "missing 1 required positional argument: 'bio'" in said


KINDS = {
    "schema.sql": """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE place AS (x integer, name text);
CREATE TABLE visit (
    id integer PRIMARY KEY, mood mood, moods mood[], place place, span int4range, prefs jsonb,
    at timestamptz, price numeric, address inet
);
""",
    "queries.sql": """
-- name: ListVisits :many
SELECT * FROM visit;
-- name: AddVisit :one
INSERT INTO visit (id, mood, place) VALUES (@id, @mood, @place) RETURNING *;
-- name: AddVisits :copyfrom
INSERT INTO visit (id, mood) VALUES (@id, @mood);
-- name: StreamVisits :stream
SELECT * FROM visit;
""",
}


@pytest.mark.parametrize(
    "driver", ["psycopg", "psycopg-sync", "sqlalchemy", "sqlalchemy-psycopg", "sqlalchemy-sync"]
)
def test_functions_of_every_driver_are_called_on_what_they_are_made_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], driver: str
) -> None:
    config = CONFIG.replace("executor: shop.nowhere", f"driver: {driver}")
    path = write_project(tmp_path, {"sqlc.yaml": config, **KINDS}) / "sqlc.yaml"
    assert main(["selfcheck", "-f", str(path)]) == 0
    assert capsys.readouterr().err == "4 queries ran on random rows; 0 guarantees were disproved\n"


def test_a_missing_driver_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    path = write_project(tmp_path, {"sqlc.yaml": CONFIG, **KINDS}) / "sqlc.yaml"
    assert main(["selfcheck", "-f", str(path)]) == 0
    assert (
        "(the generated function cannot be imported: import of asyncpg" in capsys.readouterr().err
    )
