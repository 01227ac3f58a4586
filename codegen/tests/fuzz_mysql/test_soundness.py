"""The search with fixed seeds, short or at full length. `make fuzz` uses new seeds."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from aiosqlc.analysis.verdict import never
from aiosqlc.mysql.levels import MysqlEngine

from tests.conftest import Full
from tests.fuzz_mysql.called import hunt_called
from tests.fuzz_mysql.grammar import Grammar
from tests.fuzz_mysql.hunt import Hunt, hunt
from tests.fuzz_mysql.twins import measure
from tests.sampling import sample
from tests.servers.programs import program


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("mariadbd", "mysqld")
    return tmp_path_factory.mktemp("mysql")


@pytest.mark.parametrize("seed", sample(1, [1, 909821491]))
def test_no_row_refutes_a_claim(cache: Path, seed: int, full: Full) -> None:
    wanted = full(40_000, sample=2_000)
    report = hunt(wanted, seed, cache)
    assert not report.false, report.false[:3]
    assert report.executions >= wanted
    assert report.claimed > 0.6 * report.never_null


def test_a_broken_rule_is_caught(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search can fail: with a weakened rule for outer joins, it finds false claims."""
    monkeypatch.setattr(
        "aiosqlc.mysql.scope.Level.column", lambda _level, _source, output: output.verdict
    )
    assert hunt(4000, 1, cache).false


def test_the_hunt_asks_for_embedded_rows_in_queries_with_optional_parts(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiosqlc.mysql.variants.weakest", lambda both, _columns: both[0])
    assert hunt(1500, 2, cache).false


def test_the_hunt_asks_for_rows_that_every_part_of_a_union_has(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Grammar, "_embedded", Grammar._embedded_parts)
    for place in ("aiosqlc.mysql.embeds", "aiosqlc.relational.embeds"):
        monkeypatch.setattr(f"{place}.why_unfit", lambda *_: "")
    monkeypatch.setattr(MysqlEngine, "not_null", lambda *_: False)
    monkeypatch.setattr(MysqlEngine, "keeps_type", lambda *_: True)
    assert hunt(3000, 7, cache).false


def test_the_hunt_passes_what_the_annotation_of_a_parameter_says(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fuzz_mysql.hunt.WORLDS", 3)
    hunt = Hunt(cache, 1)
    ranks = "(SELECT DENSE_RANK() OVER (ORDER BY a.id) AS c0 FROM a) t"
    sql = f"SELECT MIN(IF(1, t.c0, ?)) AS c0 FROM {ranks}"
    monkeypatch.setattr(hunt.grammar, "query", lambda: (sql, ["text"]))
    with closing(hunt):
        report = hunt.run(5)
    assert report.executions == 15
    assert report.false == []


def test_generated_functions_return_what_their_annotations_say(
    cache: Path, monkeypatch: pytest.MonkeyPatch, full: Full, tmp_path: Path
) -> None:
    if not full(1, sample=0):
        monkeypatch.setattr("tests.fuzz_mysql.hunt.WORLDS", 3)
    tally = hunt_called(full(10_000, sample=150), 700, tmp_path, cache)
    assert tally.broken == [], tally.report()


def test_documents_are_of_the_shape_that_was_proved(
    cache: Path, monkeypatch: pytest.MonkeyPatch, full: Full, tmp_path: Path
) -> None:
    if not full(1, sample=0):
        monkeypatch.setattr("tests.fuzz_mysql.hunt.WORLDS", 3)
    wanted = full(20_000, sample=150)
    tally = hunt_called(wanted, 1, tmp_path, cache, documents=True)
    assert tally.broken == [], tally.report()
    assert tally.shapes > wanted // 20, tally.report()


@pytest.mark.long
@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("aiosqlc.mysql.documents.infer", lambda *_: never("column", "broken")),
        ("aiosqlc.mysql.documents._whole", lambda shape: shape),
    ],
)
def test_documents_find_a_broken_rule(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rule: str, broken: object
) -> None:
    monkeypatch.setattr("tests.fuzz_mysql.hunt.WORLDS", 3)
    monkeypatch.setattr(rule, broken)
    assert hunt_called(1000, 2, tmp_path, cache, documents=True).broken


@pytest.mark.long
def test_calling_the_functions_finds_a_broken_rule(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same for functions: with a weaker rule for outer joins, a function breaks a claim."""
    monkeypatch.setattr("tests.fuzz_mysql.hunt.WORLDS", 3)
    monkeypatch.setattr(
        "aiosqlc.mysql.scope.Level.column", lambda _level, _source, output: output.verdict
    )
    assert hunt_called(200, 1, tmp_path, cache).broken


@pytest.mark.long
def test_rows_refute_every_rule_without_one_of_its_premises(cache: Path) -> None:
    measured = measure(50_000, 1, cache)
    assert measured.false == []
    assert measured.alive() == []
