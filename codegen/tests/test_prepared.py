"""The engine starts while other processes parse, unless earlier results may be enough."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.postgres import OnPostgres
from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.parse import statements
from aiosqlc.pipeline.build import build
from aiosqlc.source import Dialect, SourceFile
from aiosqlc.store.memo import forget_all
from aiosqlc.store.processes import spread

from tests.golden import CONFIG
from tests.projects import loaded, write_project

QUERIES = "-- name: Things :many\nSELECT id FROM thing;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"sqlc.yaml": CONFIG, "schema.sql": "CREATE TABLE thing (id integer);\n"}
    return write_project(tmp_path, {**files, "queries.sql": QUERIES})


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the schema files for which the engine is prepared from now on."""
    found: list[str] = []
    prepare = OnPostgres.prepare

    def noted(self: OnPostgres, schema: Sequence[SchemaFile], options: AnalyzeOptions) -> None:
        found.extend(file.file.path.name for file in schema)
        prepare(self, schema, options)

    monkeypatch.setattr(OnPostgres, "prepare", noted)
    return found


def generate(folder: Path) -> tuple[int, list[Diagnostic]]:
    forget_all()
    said: list[Diagnostic] = []
    return build(loaded(folder), said.extend), said


def test_the_engine_is_prepared_unless_the_lock_has_results_of_the_schema(
    folder: Path, prepared: list[str]
) -> None:
    assert generate(folder) == (0, [])
    assert prepared == ["schema.sql"]
    (folder / "queries.sql").write_text(QUERIES.replace("Things", "Others"))
    assert generate(folder) == (0, [])
    assert prepared == ["schema.sql"]
    (folder / "schema.sql").write_text("CREATE TABLE thing (id bigint);\n")
    assert generate(folder) == (0, [])
    assert prepared == ["schema.sql"] * 2


def test_the_engine_is_not_prepared_for_an_unreadable_schema(
    folder: Path, prepared: list[str]
) -> None:
    (folder / "schema.sql").unlink()
    code, said = generate(folder)
    assert code
    assert [item.code for item in said] == ["E007"]
    assert prepared == []


def test_a_failed_preparation_has_no_consequence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(OnPostgres, "prepare", failing)
    assert generate(folder) == (0, [])


def test_a_users_server_is_not_asked_before_the_analysis() -> None:
    options = AnalyzeOptions(database_uri="postgresql://nobody@/nothing?host=/nowhere")
    with OnPostgres() as engine:
        engine.prepare([], options)
        assert "analyzer" not in vars(engine)


@pytest.mark.parametrize("fewest", [1, 1_000])
def test_files_are_parsed_while_something_else_is_done_once(
    fewest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "_LONG", fewest)
    files = [SourceFile(Path(f"/{fewest}/{at}.sql"), QUERIES) for at in range(3)]
    done: list[int] = []
    statements.parse_ahead(files, Dialect.POSTGRESQL, lambda *_: ((), []), lambda: done.append(1))
    assert done == [1]


def test_something_else_comes_before_the_first_run_of_this_process() -> None:
    order: list[object] = []

    def length(run: Sequence[int]) -> int:
        order.append(list(run))
        return len(run)

    assert spread(length, lambda: length, [[1, 2]], lambda: order.append("before")) == [2]
    assert order == ["before", [1, 2]]
