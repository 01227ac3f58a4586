"""On a data set with rows: plans without rows agree, and deleted indexes are found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiosqlc.engines import engine_for
from aiosqlc.engines.planner import Planner
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.source import Dialect

from tests.production.warehouse.truth import agreement, deletions, filled, project, pulled

_SAMPLE = ("line_part", "orders_customer")


@pytest.fixture(scope="module")
def planner() -> Iterator[Planner]:
    with engine_for(Dialect.POSTGRESQL) as engine:
        assert engine.planner
        yield engine.planner


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    return project(tmp_path_factory.mktemp("warehouse"))


def test_plans_agree_and_deleted_indexes_are_found(planner: Planner, part: Analysed) -> None:
    with filled(600) as uri:
        statistics = pulled(planner, uri)
        found = agreement(planner, part, statistics, uri)
        assert found.texts >= 70
        assert found.share >= 0.95, found.different
        gone = deletions(planner, part, statistics, uri, _SAMPLE)
        assert {index for index, _ in gone.mattered} == set(_SAMPLE)
        assert gone.missed == []
        assert gone.alarms == []


@pytest.mark.long
@pytest.mark.parametrize("major", [16, 18])
def test_plans_agree_at_a_larger_size(major: int, planner: Planner, part: Analysed) -> None:
    with filled(6000, major) as uri:
        found = agreement(planner, part, pulled(planner, uri), uri)
        assert found.share >= 0.95, found.different


@pytest.mark.long
def test_deleted_indexes_are_found_at_a_larger_size(planner: Planner, part: Analysed) -> None:
    with filled(6000) as uri:
        gone = deletions(planner, part, pulled(planner, uri), uri)
        assert len(gone.missed) <= len(gone.mattered) / 20, gone.missed
        assert gone.alarms == []
