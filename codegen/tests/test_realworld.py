"""The measurement of other projects: its counts, and that it detects errors."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiosqlc.contract.conforms import unlike

from tools.realworld.worlds import _difference, by_data

_ROOT = Path(__file__).resolve().parents[1]
_CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      go: {package: db, out: db, emit_json_tags: true}
  - engine: sqlite
    schema: schema.sql
    queries: queries.sql
    gen: {go: {package: lite, out: lite}}
"""
_SCHEMA = """\
CREATE TABLE author (id bigint PRIMARY KEY, name text NOT NULL, bio text);
CREATE TABLE book (id bigint PRIMARY KEY, author_id bigint NOT NULL REFERENCES author, title text);
"""
_QUERIES = """\
-- name: GetAuthor :one
SELECT * FROM author WHERE id = $1;

-- name: ListBooks :many
SELECT sqlc.embed(author), book.* FROM book JOIN author ON author.id = book.author_id;

-- name: AddAuthor :one
INSERT INTO author (id, name, bio) VALUES ($1, $2, $3) RETURNING *;

-- name: LastTitle :one
SELECT book.title::text AS title FROM author LEFT JOIN book ON book.author_id = author.id
WHERE author.id = $1 AND author.name = $2 AND author.bio = $3 LIMIT 1;

-- name: Toss :many
SELECT side FROM unnest('{1,2,3}'::int[]) AS side ORDER BY random() LIMIT 1;

-- name: FailsOnEveryServer :many
SELECT count(*) FROM author WHERE name = 5;
"""


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The table's row of a small project."""
    folder = tmp_path_factory.mktemp("projects")
    project, told = folder / "shop", folder / "found.json"
    project.mkdir()
    (project / "sqlc.yaml").write_text(_CONFIG)
    (project / "schema.sql").write_text(_SCHEMA)
    (project / "queries.sql").write_text(_QUERIES)
    command = [sys.executable, "-m", "tools.realworld", "--json", str(told), str(project)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert "| shop |" in done.stdout, done.stderr
    assert sorted(path.name for path in project.iterdir()) == [
        "queries.sql",
        "schema.sql",
        "sqlc.yaml",
    ]
    found: dict[str, Any] = json.loads(told.read_text())[0]
    return {**found, "printed": done.stdout}


def test_every_query_of_supported_engines_is_compiled_by_both_and_called(
    row: dict[str, Any],
) -> None:
    assert (row["queries"], row["sqlc"], row["ours"], row["both"]) == (6, 6, 5, 5)
    assert (row["called"], row["answered"]) == (5, 5)
    assert [row[kind] for kind in ("wrong", "refuted", "broken", "internal")] == [[]] * 4


def test_a_column_that_only_sqlc_calls_not_null_is_seen_empty(row: dict[str, Any]) -> None:
    assert (
        "proves its result for 0, rows with NULL confirm it for 1, and the server confirms the"
        " types for 1. There is no evidence for 0" in row["printed"]
    )


def test_a_query_that_only_sqlc_compiles_has_its_cause(row: dict[str, Any]) -> None:
    (cause,) = row["causes"]
    assert cause.startswith("postgresql E")
    assert row["missed"] == [
        "sqlc.yaml FailsOnEveryServer: " + cause.removeprefix("postgresql "),
    ]


@pytest.mark.parametrize(
    ("ours", "written", "again", "said"),
    [
        ([(1, 2)], [(1, 2)], [(1, 2)], ""),
        ([(1,)], [(1, 2)], [(1, 2)], "it returns 1 columns, but the SQL of the project returns 2"),
        ([(1,), (2,)], [(1,)], [(1,)], "it returns 2 rows, but the SQL of the project returns 1"),
        (
            [(3,)],
            [(1,)],
            [(1,)],
            "column 1 has ['3'], but with the SQL of the project it has ['1']",
        ),
        ([(3,)], [(1,)], [(2,)], ""),  # differs by itself: a random value
        (
            "UPDATE 2",
            "UPDATE 1",
            "UPDATE 1",
            "the status is UPDATE 2, but the SQL of the project has UPDATE 1",
        ),
    ],
)
def test_a_text_that_answers_otherwise_than_the_source_is_seen(
    ours: object, written: object, again: object, said: str
) -> None:
    assert _difference(ours, written, again) == said


_NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@dataclass
class _Row:
    id: int
    name: str | None


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        (_Row(1, None), _Row, ""),
        (None, _Row | None, ""),
        ([_Row(1, "a")], list[_Row], ""),
        (None, _Row, "result is None, but _Row is the declared type"),
        (_Row(None, "a"), _Row, "result.id is None, but int is the declared type"),  # type: ignore[arg-type]  # what is looked for
        ([_Row("x", "a")], list[_Row], "result[].id is str 'x', not int"),  # type: ignore[arg-type]  # what is looked for
        (_Row(True, "a"), _Row, "result.id is bool True, not int"),
        (_NOON, date, f"result is datetime {_NOON!r}, not date"),
    ],
)
def test_a_value_that_its_annotation_does_not_promise_is_seen(
    value: object, hint: object, said: str
) -> None:
    assert unlike(value, hint) == said


def test_a_call_that_takes_too_long_says_nothing_of_its_text() -> None:
    assert by_data(asyncpg.QueryCanceledError("canceling statement due to statement timeout"))
    assert not by_data(asyncpg.PostgresSyntaxError("syntax error"))
