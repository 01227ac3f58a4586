"""The statements for reservations and events, counted by name on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from lib.config import DatabaseSettings
from lib.db import Database
from lib.db.engine import open_database
from lib.events import outbox
from lib.events.store import QUERY_NAMES, Unpublished
from tests.services.product.test_reservations import reserve


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def counted(database_url: str, registry: CollectorRegistry) -> AsyncIterator[Database]:
    """The database of the service, whose statements `registry` counts."""
    settings = DatabaseSettings(_env_file=None, database_url=SecretStr(database_url), db_pool_min=1)
    async with open_database(
        settings, application="test", registry=registry, query_names=QUERY_NAMES
    ) as db:
        yield db


def counts(families: Iterable[Metric]) -> Counter[str]:
    """Return how often each query ran."""
    return Counter(
        {
            sample.labels["query"]: int(sample.value)
            for family in families
            for sample in family.samples
            if sample.name == "db_query_duration_seconds_count"
        }
    )


def events(count: int) -> list[Unpublished]:
    """Return events of one key, each with text that has a quote and parentheses."""
    return [
        outbox.unpublished(
            topic="t", key="k", kind="a.b", payload={"n": number, "text": "it's (%s)"}
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "statement"), [(0, None), (1, "AddEvent"), (2, "AddEvents"), (3, "AddEvents")]
)
async def test_events_take_one_statement_under_its_name_and_none_takes_no_statement(
    counted: Database, registry: CollectorRegistry, count: int, statement: str | None
) -> None:
    written = events(count)
    before = counts(registry.collect())
    async with counted.transaction() as tx:
        await outbox.write(tx, *written)
    assert counts(registry.collect()) - before == Counter([statement] if statement else [])
    queries = outbox.outbox(counted)
    stored = await queries.next_events(lanes=[outbox.lane_of("k")], batch_size=100)
    kept = {event.id: event.payload for event in stored}
    assert {event.id: event.payload for event in written}.items() <= kept.items()


async def test_a_reservation_of_several_lines_runs_no_statement_without_a_name(
    client, shop
) -> None:
    async def ran() -> Counter[str]:
        async with client.get("/metrics") as answer:
            return counts(text_string_to_metric_families(await answer.text()))

    before = await ran()
    assert (await reserve(shop, "of-two", drill=1, hammer=2))[0] == 201
    found = await ran() - before
    assert found["Reserve"] or (found["AddLines"] and found["AddMovements"])
    assert "other" not in found
