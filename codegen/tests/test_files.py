"""Files without SQL are named, and cause no other messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.files import find_sql_files
from aiosqlc.messages.render import render
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.source import SourceFile, Span

from tests.projects import loaded, write_project

CONFIG = """\
version: "2"
sql:
  - {engine: postgresql, schema: schema, queries: queries.sql, gen: {python: {out: store}}}
"""


def compiled(folder: Path, schema: dict[str, bytes]) -> list[Diagnostic]:
    queries = "-- name: GetT :many\nSELECT * FROM t;\n"
    write_project(folder, {"sqlc.yaml": CONFIG, "queries.sql": queries})
    (folder / "schema").mkdir()
    for name, content in schema.items():
        (folder / "schema" / name).write_bytes(content)
    return compile_project(loaded(folder)).diagnostics


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, "no .sql file in schema"),
        ({"schema.ddl": b"CREATE TABLE t ()"}, "no .sql file in schema"),
        (
            {"a.sql": b"CREATE TABLE t (id int\0)"},
            "the file contains a NUL byte, so it is not a text file",
        ),
        ({"a.sql": "CREATE TABLE t ()".encode("utf-16")}, "cannot read schema/a.sql"),
    ],
)
def test_a_schema_that_cannot_be_read_is_the_only_finding(
    tmp_path: Path, schema: dict[str, bytes], message: str
) -> None:
    (problem,) = compiled(tmp_path, schema)
    assert problem.message.startswith(message)


def test_what_a_terminal_would_obey_is_shown_instead(tmp_path: Path) -> None:
    problems = compiled(tmp_path, {"a.sql": b"CREATE TABLE \x1b[31mt ();"})
    told = "".join(map(render, problems))
    assert "␛[31mt" in told
    assert "\x1b" not in told


def test_a_file_that_a_pattern_meets_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "one.sql").write_text("-- name: One :one\nSELECT 1 AS one;\n")
    config = SourceFile(Path("sqlc.yaml"), "")
    found, problems = find_sql_files(tmp_path, ["queries/**", "queries"], config, Span(0, 0))
    assert problems == []
    assert [path.name for path in found] == ["one.sql"]


@pytest.mark.parametrize("pattern", ["/queries", "/queries/*.sql"])
def test_a_path_with_a_slash_before_it_is_looked_for_in_the_folder(
    tmp_path: Path, pattern: str
) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "one.sql").write_text("-- name: One :one\nSELECT 1 AS one;\n")
    config = SourceFile(Path("sqlc.yaml"), "")
    found, problems = find_sql_files(tmp_path, [pattern], config, Span(0, 0))
    assert (found, problems) == ([tmp_path / "queries" / "one.sql"], [])


def test_of_a_very_long_line_the_part_around_the_mistake_is_shown() -> None:
    text = "SELECT " + ", ".join(f"c{number}" for number in range(10_000))
    at = text.index("c5000,")
    label = Label(SourceFile(Path("q.sql"), text), Span(at, at + 5), "here")
    _, place, line, caret, *_ = render(Diagnostic("E311", "no such column", (label,))).split("\n")
    assert place.endswith(f"q.sql:1:{at + 1}")
    assert len(line) < 220
    assert line[4] == line[-1] == "…"
    assert line[caret.index("^") : caret.rindex("^") + 1] == "c5000"
    first = Label(label.file, Span(0, 6))
    assert "1 │ SELECT c0, c1" in render(Diagnostic("E300", "so", (first,)))
