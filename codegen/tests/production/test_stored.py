"""The advice on an unchanged entry is stored; a change of any input plans the entry again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from aiosqlc.analysis.planned.statistics import RelationSize, Statistics
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.production.advice import stored
from aiosqlc.production.advice.check import Advice
from aiosqlc.production.advice.stored import remembered
from aiosqlc.source import SourceFile, Span
from msgspec.structs import replace

from tests.projects import loaded, write_project

CONFIG = """\
version: "2"
sql:
  - {engine: postgresql, schema: migrations, queries: queries, gen: {python: {out: out}}}
"""
FILES = {
    "sqlc.yaml": CONFIG,
    "migrations/1.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, note text NOT NULL);\n",
    "queries/q.sql": "-- name: A :many\nSELECT id FROM orders\nWHERE note = @note -- :if note\n;\n",
}
STATISTICS = Statistics("18", (), (RelationSize("public", "orders", 10, 100.0),))


class Planning:
    """Counts how often an entry is planned, and returns findings in both kinds of files."""

    def __init__(self, analysed: Analysed) -> None:
        self.times = 0
        self.analysed = analysed

    def __call__(self) -> Advice:
        self.times += 1
        query = Label(self.analysed.analysis.queries[0].parsed.file, Span(9, 10), "here")
        schema = Label(self.analysed.inputs.schema[0].file, Span(0, 6))
        return Advice(
            (
                Diagnostic("V030", "a", (query, schema), "do\nthis", Severity.WARNING, ("n",)),
                Diagnostic("V039", "b", (), "", Severity.WARNING),
            ),
            ("a note",),
        )


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    folder = tmp_path_factory.mktemp("stored")
    write_project(folder, FILES)
    (part,) = analyze_project(loaded(folder))
    assert not part.failed
    return part


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIOSQLC_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "advice"


def test_an_unchanged_entry_is_planned_once(analysed: Analysed, cache: Path) -> None:
    planning = Planning(analysed)
    first = remembered(analysed, STATISTICS, planning)
    assert remembered(analysed, STATISTICS, planning) == first
    assert planning.times == 1
    (path,) = cache.iterdir()
    assert path.suffix == ".json"


def _other_query(one: Analysed) -> Analysed:
    (query,) = one.analysis.queries
    changed = replace(query, variants=query.variants[:1])
    return replace(one, analysis=replace(one.analysis, queries=(changed,)))


def _other_budget(one: Analysed) -> Analysed:
    (query,) = one.analysis.queries
    file = SourceFile(query.parsed.file.path, f"-- plan: cost <= 5\n{query.parsed.file.text}")
    changed = replace(query, parsed=replace(query.parsed, file=file))
    return replace(one, analysis=replace(one.analysis, queries=(changed,)))


def _other_schema(one: Analysed) -> Analysed:
    (file,) = one.inputs.schema
    text = SourceFile(file.file.path, f"{file.file.text}CREATE INDEX ON orders (note);\n")
    return replace(one, inputs=replace(one.inputs, schema=(replace(file, file=text),)))


@pytest.mark.parametrize("change", [_other_query, _other_budget, _other_schema])
def test_a_changed_entry_is_planned_again(
    change: Callable[[Analysed], Analysed], analysed: Analysed, cache: Path
) -> None:
    planning = Planning(analysed)
    remembered(analysed, STATISTICS, planning)
    remembered(change(analysed), STATISTICS, Planning(change(analysed)))
    assert len(list(cache.iterdir())) == 2


def test_changed_statistics_are_planned_again(
    analysed: Analysed, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planning = Planning(analysed)
    remembered(analysed, STATISTICS, planning)
    remembered(analysed, replace(STATISTICS, settings=(("work_mem", "8MB"),)), planning)
    assert planning.times == 2
    monkeypatch.setattr(stored, "compiler_digest", lambda: "another release")
    remembered(analysed, STATISTICS, planning)
    assert planning.times == 3
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("damage", ["", "{", '{"findings": [], "notes": 3}', "null"])
def test_a_damaged_result_is_replaced(damage: str, analysed: Analysed, cache: Path) -> None:
    planning = Planning(analysed)
    first = remembered(analysed, STATISTICS, planning)
    (path,) = cache.iterdir()
    path.write_text(damage)
    assert remembered(analysed, STATISTICS, planning) == first
    assert remembered(analysed, STATISTICS, planning) == first
    assert planning.times == 2


def test_a_folder_that_cannot_be_written_changes_nothing(analysed: Analysed, cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("a file in its place")
    planning = Planning(analysed)
    assert remembered(analysed, STATISTICS, planning) == planning()


def test_the_oldest_results_are_deleted(
    analysed: Analysed, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "_MOST", 2)
    for memory in ("1MB", "2MB", "3MB"):
        changed = replace(STATISTICS, settings=(("work_mem", memory),))
        remembered(analysed, changed, Planning(analysed))
    assert len(list(cache.iterdir())) == 2
