"""Generated functions return what the queries return, for all stars."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.postgres import written
from aiosqlc.postgres.infer import stars

from tests.conftest import Full
from tests.fuzz.stars import Tally, hunt
from tests.golden import analyzer_on
from tests.sampling import sample
from tests.servers.postgres import TestPostgres

_QUERIES = 150  # of one schema


async def one_schema(server: TestPostgres, folder: Path, seed: int) -> Tally:
    asked, filled = server.create_empty(), server.create_empty()
    folder.mkdir()
    try:
        return await hunt(filled, analyzer_on(asked), folder, seed, _QUERIES)
    finally:
        server.drop(asked)
        server.drop(filled)


async def test_a_function_returns_the_rows_of_its_query_also_after_a_column_was_added(
    postgres_server: TestPostgres, tmp_path: Path, full: Full
) -> None:
    for seed in range(1, full(32, sample=3)):
        tally = await one_schema(postgres_server, tmp_path / str(seed), seed)
        assert tally.wrong == [], f"seed {seed}"
        assert tally.accepted > 0.7 * tally.written
        assert tally.expanded > tally.accepted
        assert tally.called > 0.5 * tally.accepted
        assert tally.widened > 0.5 * tally.accepted


def _lose_grouped_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stars, "_widened", lambda run, *_: run)


def _repeat_what_is_inserted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stars, "_BETWEEN", -1)


def _forget_which_of_two_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stars, "Counter", lambda _: dict.fromkeys((), 0) or _Once())


class _Once(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return 1


@pytest.mark.parametrize(
    "break_it",
    sample(1, [_lose_grouped_columns, _repeat_what_is_inserted, _forget_which_of_two_is_meant]),
)
async def test_a_wrong_reading_of_stars_is_seen_and_the_guard_writes_none(
    break_it: object, postgres_server: TestPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(break_it)
    break_it(monkeypatch)
    guarded = await one_schema(postgres_server, tmp_path / "guarded", 1)
    assert guarded.wrong == []
    monkeypatch.setattr(written, "_unequal", lambda *_: [])
    assert (await one_schema(postgres_server, tmp_path / "unguarded", 1)).wrong != []
