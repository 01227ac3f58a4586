"""Unchanged input needs no analysis; only a changed query is analysed again."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiosqlc.analysis.port import Analyze
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile
from aiosqlc.lock.head import FORMAT
from aiosqlc.lock.reading import read_lock
from aiosqlc.pipeline.build import build
from aiosqlc.pipeline.unchanged import is_unchanged

from tests.golden import CASES, CONFIG, analyzer_on
from tests.projects import loaded, ran
from tests.servers.postgres import TestPostgres

CASE = CASES / "whole_table_rows_share_one_class"


class Counting:
    """Analyse, and record the analysed queries."""

    def __init__(self, analyze: Analyze) -> None:
        self.asked: list[str] = []
        self._analyze = analyze

    def __call__(
        self,
        schema: Sequence[SchemaFile],
        queries: Sequence[ParsedQuery],
        options: AnalyzeOptions,
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        self.asked += [query.name for query in queries]
        return self._analyze(schema, queries, options)


@pytest.fixture
def counting(postgres_server: TestPostgres) -> Counting:
    return Counting(analyzer_on(postgres_server.create_empty()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("schema.sql", "queries.sql"):
        shutil.copy(CASE / name, tmp_path)
    (tmp_path / "sqlc.yaml").write_text(CONFIG)
    return tmp_path


def generate(folder: Path, analyze: Analyze) -> tuple[int, list[Diagnostic]]:
    said: list[Diagnostic] = []
    return build(loaded(folder), said.extend, analyze), said


def test_unchanged_input_is_recognised_without_analysis(folder: Path, counting: Counting) -> None:
    assert generate(folder, counting) == (0, [])
    assert is_unchanged(loaded(folder))
    counting.asked.clear()
    assert generate(folder, counting) == (0, [])
    assert counting.asked == []


def test_the_look_whether_anything_changed_imports_no_stage_of_the_compiler() -> None:
    look = "import sys, aiosqlc.cli.generate as _; print(*sys.modules)"
    run = ran(sys.executable, "-c", look)
    assert run.returncode == 0, run.stderr
    stages = {"ir", "lock.reading", "drivers", "plan", "postgres", "mysql", "pipeline.compile"}
    assert not {f"aiosqlc.{stage}" for stage in stages} & set(run.stdout.split())


def test_lost_output_is_made_again_without_a_server(folder: Path, counting: Counting) -> None:
    generate(folder, counting)
    before = (folder / "expected" / "queries.py").read_text()
    shutil.rmtree(folder / "expected")
    assert not is_unchanged(loaded(folder))
    counting.asked.clear()
    assert generate(folder, counting) == (0, [])
    assert counting.asked == []
    assert (folder / "expected" / "queries.py").read_text() == before


def test_only_the_edited_query_is_asked_about(folder: Path, counting: Counting) -> None:
    generate(folder, counting)
    counting.asked.clear()
    queries = folder / "queries.sql"
    queries.write_text(queries.read_text().replace("ORDER BY name;", "ORDER BY name, id;", 1))
    assert generate(folder, counting) == (0, [])
    assert counting.asked == ["ListPeople"]


def test_another_schema_asks_about_everything(folder: Path, counting: Counting) -> None:
    generate(folder, counting)
    counting.asked.clear()
    with (folder / "schema.sql").open("a") as schema:
        schema.write("CREATE TABLE another (id integer);\n")
    assert generate(folder, counting) == (0, [])
    assert len(counting.asked) == 11


def test_warnings_are_said_again_where_nothing_changed(folder: Path, counting: Counting) -> None:
    queries = folder / "queries.sql"
    text = queries.read_text().replace(
        "GetPerson :one\nSELECT * FROM people WHERE id = @id", "X :one\nSELECT * FROM people"
    )
    queries.write_text(text)
    code, said = generate(folder, counting)
    assert (code, [item.severity.value for item in said]) == (0, ["warning"])
    assert not is_unchanged(loaded(folder))
    counting.asked.clear()
    assert generate(folder, counting) == (0, said)
    assert counting.asked == []


def test_warnings_outlive_an_edit_of_another_query(folder: Path, counting: Counting) -> None:
    queries = folder / "queries.sql"
    text = queries.read_text().replace(
        "GetPerson :one\nSELECT * FROM people WHERE id = @id", "X :one\nSELECT * FROM people"
    )
    queries.write_text(text)
    _, said = generate(folder, counting)
    queries.write_text(text.replace("ORDER BY name;", "ORDER BY name, id;", 1))
    code, again = generate(folder, counting)
    assert (code, [item.message for item in again]) == (0, [item.message for item in said])
    assert generate(folder, counting) == (0, again)


def test_errors_are_said_until_they_are_gone_and_nothing_else_is_asked_again(
    folder: Path, counting: Counting
) -> None:
    config = folder / "sqlc.yaml"
    config.write_text(config.read_text().replace("    gen:", "    strict: true\n    gen:"))
    queries = folder / "queries.sql"
    good = queries.read_text()
    wrong = good + "-- name: Wrong :one\nSELECT * FROM people;\n"
    for text in (good, wrong, wrong + "\n-- A comment.\n"):
        queries.write_text(text)
        code, said = generate(folder, counting)
        assert (code, [item.code for item in said]) == ((0, []) if text == good else (1, ["E320"]))
    assert counting.asked[-2:] == ["Wrong", "Wrong"]

    counting.asked.clear()
    (folder / "sqlc.lock.json").unlink()
    with (folder / "schema.sql").open("a") as schema:
        schema.write("CREATE TABLE new (id integer);\n")
    assert generate(folder, counting)[0] == 1
    assert len(counting.asked) == 12
    counting.asked.clear()
    queries.write_text(good.replace("ORDER BY name;", "ORDER BY name, id, name;", 1))
    assert generate(folder, counting) == (0, [])
    assert counting.asked == ["ListPeople"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 99}', "\0"])
def test_a_damaged_lock_is_no_lock(damage: str, folder: Path, counting: Counting) -> None:
    generate(folder, counting)
    (folder / "sqlc.lock.json").write_text(damage)
    counting.asked.clear()
    assert generate(folder, counting) == (0, [])
    assert len(counting.asked) == 11


def test_a_lock_of_another_release_is_said_to_be_one_and_made_anew(
    folder: Path, counting: Counting, capsys: pytest.CaptureFixture[str]
) -> None:
    generate(folder, counting)
    lock = folder / "sqlc.lock.json"
    now = lock.read_text()
    lock.write_text(now.replace(f'"format":{FORMAT}', '"format":4', 1))
    counting.asked.clear()
    capsys.readouterr()
    assert generate(folder, counting) == (0, [])
    assert capsys.readouterr().err == (
        f"sqlc.lock.json has format 4, but this release writes format {FORMAT}: all queries are "
        "compiled "
        "again\n"
    )
    assert len(counting.asked) == 11
    assert lock.read_text() == now


def test_an_error_leaves_files_and_lock_as_they_were(folder: Path, counting: Counting) -> None:
    generate(folder, counting)
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.suffix != ".sql"}
    with (folder / "queries.sql").open("a") as queries:
        queries.write("-- name: Bad :one\nSELECT nothing FROM nowhere;\n")
    assert generate(folder, counting)[0] == 1
    assert {path: path.read_bytes() for path in before} == before


def test_a_failed_statement_of_the_schema_is_said_again_though_it_costs_nothing(
    folder: Path, counting: Counting
) -> None:
    with (folder / "schema.sql").open("a") as schema:
        schema.write("CREATE TABLE another (id nope);\n")
    code, said = generate(folder, counting)
    assert (code, [item.code for item in said]) == (1, ["E201"])
    assert generate(folder, counting) == (1, said)


def test_what_another_release_of_a_server_said_is_asked_again(
    folder: Path, counting: Counting
) -> None:
    generate(folder, counting)
    lock = folder / "sqlc.lock.json"
    found = re.search(r'"server_version": "[^"]+"', lock.read_text())
    assert found
    older = lock.read_text().replace(found[0], '"server_version": "16.0"')
    lock.write_text(older)
    counting.asked.clear()
    queries = folder / "queries.sql"
    queries.write_text(queries.read_text().replace("ORDER BY name;", "ORDER BY id, name;", 1))
    assert generate(folder, counting) == (0, [])
    assert len(counting.asked) == 12
    assert found[0] in lock.read_text()


def test_a_lock_is_known_by_its_content_wherever_it_is(
    folder: Path, tmp_path: Path, counting: Counting
) -> None:
    generate(folder, counting)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    before, lock = loaded(folder), copy / "sqlc.lock.json"
    assert read_lock(loaded(copy)) is read_lock(before)
    lock.write_text(lock.read_text().replace("server_version", "server_release", 1))
    assert read_lock(loaded(copy)) is not read_lock(before)
    lock.unlink()
    assert read_lock(loaded(copy)) == {}
