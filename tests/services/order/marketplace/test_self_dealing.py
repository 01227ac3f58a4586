"""Self-dealing is detected: pairs with many jobs, and reviews that come from few people."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from lib.db import Database
from services.order.marketplace.self_dealing import SelfDealing
from tests.services.order.marketplace.conftest import expect


async def suspects(db: Database) -> tuple[float | None, ...]:
    registry = CollectorRegistry()
    await SelfDealing(db, registry, every_seconds=0).step()
    return tuple(
        registry.get_sample_value("jobs_self_dealing_suspects", {"kind": kind})
        for kind in ("pair", "reviews")
    )


async def test_two_who_deal_only_with_one_another_are_noticed(market, db, sql) -> None:
    before = await suspects(db)
    for number in range(5):
        assert await suspects(db) == ((before[0] or 0) + (number >= 4), before[1]), number
        job = await market.done()
        praise = {"job_id": job["id"], "rating": 5}
        await expect(201, market.customer("POST", "reviews", json=praise))
    assert await suspects(db) == ((before[0] or 0) + 1, (before[1] or 0) + 1)
    # What an administrator has taken back, and what is long ago, is over.
    await sql.execute(
        "UPDATE job SET updated_at = now() - interval '31 days' WHERE customer_id = $1",
        market.customer.subject,
    )
    await sql.execute(
        "UPDATE review SET created_at = now() - interval '31 days' WHERE customer_id = $1",
        market.customer.subject,
    )
    assert await suspects(db) == before


async def test_a_provider_with_many_customers_is_none(market, db, sql) -> None:
    before = await suspects(db)
    for _ in range(3):
        await market.done()
    await sql.execute(
        "UPDATE job SET customer_id = gen_random_uuid() WHERE provider_id = $1",
        market.provider.subject,
    )
    for _ in range(3):
        await market.done()
    assert await suspects(db) == before
