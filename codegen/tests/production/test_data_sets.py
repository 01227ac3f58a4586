"""On data sets with rows: plans without rows agree, and deleted indexes are found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiosqlc.engines import engine_for
from aiosqlc.engines.planner import Planner
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.source import Dialect

from tests.production.sets.truth import (
    DATA_SETS,
    SERIES,
    TRACKER,
    WAREHOUSE,
    DataSet,
    agreement,
    deletions,
    filled,
    project,
    pulled,
)

_SAMPLE = ("line_part", "orders_customer")


@pytest.fixture(scope="module")
def planner() -> Iterator[Planner]:
    with engine_for(Dialect.POSTGRESQL) as engine:
        assert engine.planner
        yield engine.planner


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Analysed]:
    return {data.name: project(data, tmp_path_factory.mktemp(data.name)) for data in DATA_SETS}


def test_plans_agree_and_deleted_indexes_are_found(
    planner: Planner, parts: dict[str, Analysed]
) -> None:
    part = parts["warehouse"]
    with filled(WAREHOUSE, WAREHOUSE.few) as uri:
        statistics = pulled(planner, part, uri)
        found = agreement(planner, part, statistics, uri)
        assert found.texts >= 70
        assert found.share >= 0.95, found.different
        gone = deletions(planner, part, statistics, uri, _SAMPLE)
        assert {index for index, _ in gone.mattered} == set(_SAMPLE)
        assert gone.missed == []
        assert gone.alarms == []


@pytest.mark.long
@pytest.mark.parametrize("values", [False, True], ids=["generic", "common and rare values"])
@pytest.mark.parametrize("data", [TRACKER, SERIES], ids=lambda data: data.name)
def test_plans_agree_on_other_data_sets(
    data: DataSet, planner: Planner, parts: dict[str, Analysed], *, values: bool
) -> None:
    part = parts[data.name]
    with filled(data, data.few) as uri:
        found = agreement(planner, part, pulled(planner, part, uri), uri, values=values)
        assert found.texts >= 30
        assert found.share >= 0.95, found.different


@pytest.mark.long
@pytest.mark.parametrize("data", [TRACKER, SERIES], ids=lambda data: data.name)
def test_deleted_indexes_are_found_on_other_data_sets(
    data: DataSet, planner: Planner, parts: dict[str, Analysed]
) -> None:
    part = parts[data.name]
    with filled(data, data.few) as uri:
        gone = deletions(planner, part, pulled(planner, part, uri), uri)
        assert len(gone.missed) <= len(gone.mattered) / 20, gone.missed
        assert len(gone.alarms) <= len(gone.proposed) / 50, gone.alarms


@pytest.mark.long
@pytest.mark.parametrize("major", [16, 18])
def test_plans_agree_at_a_larger_size(
    major: int, planner: Planner, parts: dict[str, Analysed]
) -> None:
    part = parts["warehouse"]
    with filled(WAREHOUSE, 10 * WAREHOUSE.few, major) as uri:
        found = agreement(planner, part, pulled(planner, part, uri), uri)
        assert found.share >= 0.95, found.different


@pytest.mark.long
def test_deleted_indexes_are_found_at_a_larger_size(
    planner: Planner, parts: dict[str, Analysed]
) -> None:
    part = parts["warehouse"]
    with filled(WAREHOUSE, 10 * WAREHOUSE.few) as uri:
        gone = deletions(planner, part, pulled(planner, part, uri), uri)
        assert len(gone.missed) <= len(gone.mattered) / 20, gone.missed
        assert gone.alarms == []
