"""Service orders whose time ends before a provider was found."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from devstack.testing.wait import eventually
from lib.clock import utc_now
from services.order.marketplace.overdue import OverdueOrders
from services.order.marketplace.service.expiry import expire
from tests.services.order.conftest import NewConfig
from tests.services.order.marketplace.conftest import expect, refused

FIRST_SWEEP = re.compile(
    r'^background_step_seconds_count{loop="overdue-service-orders"} [1-9]', re.MULTILINE
)
LATER = timedelta(days=400)  # nobody's window is longer


@pytest.fixture
async def database_url(new_database) -> str:
    """A database without demo orders, because these tests count orders."""
    return await new_database("order")


@pytest.fixture(autouse=True)
async def swept(client) -> None:
    """Wait for the sweep at the start of the service, which would change these tests' orders."""

    async def once() -> bool:
        async with client.get("/metrics") as answer:
            return FIRST_SWEEP.search(await answer.text()) is not None

    await eventually(once)


@pytest.fixture
async def currency(sql) -> None:
    await sql.execute(
        "INSERT INTO currency (id, currency, code, symbol) VALUES "
        "('01890000-0000-7000-8000-00000000e101', 'Euro', 'EUR', '€')"
    )


async def overdue(sql, *orders: dict) -> None:
    """Make the time windows of these orders end."""
    await sql.execute(
        "UPDATE service_order SET time_start = now() - interval '2 hours', "
        "time_end = now() - interval '1 hour' WHERE id = ANY($1::uuid[])",
        [order["id"] for order in orders],
    )


async def told(sql, kind: str) -> list[dict]:
    rows = await sql.fetch("SELECT payload FROM outbox WHERE kind = $1 ORDER BY position", kind)
    return [msgspec.json.decode(row["payload"]) for row in rows]


async def test_an_order_whose_time_is_over_expires_with_its_offers_and_others_are_told_once(
    market, sql, db, currency
) -> None:
    order, paused, young = [await market.order() for _ in range(3)]
    offer = await market.offer(order)
    path = f"service-orders/{paused['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": "PAUSED"}))
    await overdue(sql, order, paused)
    assert [await expire(db) for _ in range(2)] == [2, 0]
    statuses = [
        (await expect(200, market.customer("GET", f"service-orders/{one['id']}")))["status"]
        for one in (order, paused, young)
    ]
    assert statuses == ["EXPIRED", "EXPIRED", "PENDING"]
    assert (await expect(200, market.provider("GET", f"offers/{offer['id']}")))["status"] == (
        "REJECTED"
    )
    events = await told(sql, "service_order.expired")
    assert {event["order_id"] for event in events} == {order["id"], paused["id"]}
    assert {event["customer_id"] for event in events} == {market.customer.subject}
    assert {event["actor"] for event in events} == {"order"}


async def test_an_expired_order_is_over(market, sql, db, currency) -> None:
    order = await market.order()
    offer = await market.offer(order)
    await overdue(sql, order)
    await expire(db)
    path = f"service-orders/{order['id']}"
    for status in ("PENDING", "PAUSED", "CANCELLED"):
        answer = await refused(market.customer("PATCH", path, json={"status": status}))
        assert answer == (409, "CONFLICT", "the service order is expired")
    accepting = market.accepting(offer)
    assert await refused(accepting) == (409, "CONFLICT", "the service order is expired")
    # A provider who had made an offer still sees what has become of it.
    assert (await expect(200, market.provider("GET", path)))["status"] == "EXPIRED"
    mine = await expect(200, market.customer("GET", "customers/me/service-orders?status=EXPIRED"))
    assert [one["id"] for one in mine] == [order["id"]]


async def test_an_order_with_a_job_does_not_expire_until_its_provider_calls_it_off(
    market, sql, db, currency
) -> None:
    job = await market.job()
    await overdue(sql, {"id": job["order_id"]})
    assert await expire(db) == 0
    path = f"jobs/{job['id']}"
    await expect(200, market.provider("PATCH", path, json={"status": "CANCELLED"}))
    assert await expire(db) == 1


async def test_several_processes_expire_each_order_once(market, db, sql) -> None:
    for _ in range(12):
        await market.order()
    counts = await asyncio.gather(*(expire(db, clock=lambda: utc_now() + LATER) for _ in range(6)))
    counts.append(await expire(db, clock=lambda: utc_now() + LATER))
    assert sum(counts) == 12
    assert len(await told(sql, "service_order.expired")) == 12


async def test_a_customer_who_accepts_or_cancels_meanwhile_and_the_sweep_agree(
    market, sql, db, currency
) -> None:
    later = utc_now() + LATER
    orders = [await market.order() for _ in range(6)]
    offers = [await market.offer(order) for order in orders]
    await asyncio.gather(
        *(market.accepting(offer) for offer in offers[:3]),
        *(
            market.customer("PATCH", f"service-orders/{o['id']}", json={"status": "CANCELLED"})
            for o in orders[3:]
        ),
        expire(db, clock=lambda: later),
    )
    await expire(db, clock=lambda: later)
    found = await sql.fetch(
        """
        SELECT service_order.status::text AS status, job.id IS NOT NULL AS has_job,
            offer.status::text AS offer
        FROM service_order JOIN offer ON offer.order_id = service_order.id
        LEFT JOIN job ON job.order_id = service_order.id
        """
    )
    assert {tuple(row) for row in found} <= {
        ("ASSIGNED", True, "ACCEPTED"),
        ("EXPIRED", False, "REJECTED"),
        ("CANCELLED", False, "REJECTED"),
    }


async def test_what_is_overdue_and_what_has_expired_is_measured(market, sql, db) -> None:
    await overdue(sql, await market.order())
    registry = CollectorRegistry()
    sweep = OverdueOrders(db, registry)
    assert [await sweep.step(), await sweep.step()] == [True, False]
    assert registry.get_sample_value("service_orders_overdue") == 1
    oldest = registry.get_sample_value("service_orders_overdue_oldest_seconds")
    assert oldest is not None
    assert 3600 <= oldest < 4200
    assert registry.get_sample_value("service_orders_expired_total") == 1


class TestTheService:
    """The service sweeps by itself."""

    @pytest.fixture
    def new_config(self, new_config: NewConfig) -> NewConfig:
        return lambda **settings: new_config(**({"sweep_seconds": 0.05} | settings))

    async def test_it_expires_orders_beside_the_requests(self, market, sql) -> None:
        order = await market.order()
        await overdue(sql, order)

        async def expired() -> bool:
            path = f"service-orders/{order['id']}"
            return (await expect(200, market.customer("GET", path)))["status"] == "EXPIRED"

        await eventually(expired)
