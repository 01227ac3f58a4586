"""Repeated requests, and migrations that are undone and applied again."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec

from lib.db import migrations
from lib.ids import new_id
from services.order.marketplace.model.orders import NewServiceOrder
from services.order.marketplace.service import offers, orders
from tests.services.calling import by_hand
from tests.services.order.marketplace.conftest import NOBODY, expect, new_offer, new_order, refused

ROOT = migrations.ROOT.resolve()
_INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"
)


async def test_a_request_sent_again_with_its_key_has_the_same_answer(market, sql) -> None:
    order = await market.order()
    made = [
        await market.provider(
            "POST", "offers", json=new_offer(order), headers={"Idempotency-Key": "offer-1"}
        )
        for _ in range(2)
    ]
    assert [status for status, _, _ in made] == [201, 201]
    offer = made[0][1]["data"]
    assert made[1][1]["data"] == offer
    accepted = [await market.accepting(offer, **{"Idempotency-Key": "accept-1"}) for _ in range(2)]
    assert [status for status, _, _ in accepted] == [201, 201]
    assert accepted[0][1]["data"] == accepted[1][1]["data"]
    assert await sql.fetchval("SELECT count(*) FROM job") == 1


async def test_a_service_order_is_found_by_its_key_although_the_answer_was_lost(
    market, sql
) -> None:
    key = {"Idempotency-Key": "order-1"}
    wanted = new_order()
    made = await expect(201, market.customer("POST", "service-orders", json=wanted, headers=key))
    # What a process leaves that dies between the commit and the keeping of the answer.
    await sql.execute("UPDATE idempotency_key SET status = NULL, headers = NULL, body = NULL")
    await sql.execute("UPDATE idempotency_key SET leased_until = now()")
    again = await expect(201, market.customer("POST", "service-orders", json=wanted, headers=key))
    assert again == made
    assert (
        await sql.fetchval("SELECT count(*) FROM service_order WHERE request_key = 'order-1'") == 1
    )
    await sql.execute("DELETE FROM idempotency_key")
    other = {**wanted, "service_id": NOBODY}
    refusal = await refused(market.customer("POST", "service-orders", json=other, headers=key))
    assert refusal[:2] == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_crash_after_an_offer_was_committed_makes_no_second_one(market, sql) -> None:
    offer, key = new_offer(await market.order()), {"Idempotency-Key": "offer-1"}
    await expect(201, market.provider("POST", "offers", json=offer, headers=key))
    await sql.execute("UPDATE idempotency_key SET status = NULL, headers = NULL, body = NULL")
    await sql.execute("UPDATE idempotency_key SET leased_until = now()")
    status, code, message = await refused(
        market.provider("POST", "offers", json=offer, headers=key)
    )
    assert (status, code) == (409, "CONFLICT")
    assert "was executed" in message


async def test_a_request_that_two_processes_work_on_adds_one_service_order(database_url) -> None:
    """The first process outlasted its lease on the key, so only the order's own key protects."""

    class Everything:
        async def has_service(self, service_id) -> bool:
            return True

    wanted, customer = msgspec.convert(new_order(), NewServiceOrder), new_id()
    async with by_hand(database_url, db_pool_min=4) as db:
        made = await asyncio.gather(
            *(
                orders.add(db, Everything(), wanted, customer_id=customer, key="order-1")
                for _ in range(4)
            )
        )
    assert len({order.id for order in made}) == 1


async def test_requests_at_the_same_time_do_not_pass_the_limits(market, monkeypatch) -> None:
    monkeypatch.setattr(orders, "MAX_OPEN_ORDERS", 3)
    monkeypatch.setattr(offers, "MAX_OPEN_OFFERS", 2)
    made = await asyncio.gather(
        *(market.customer("POST", "service-orders", json=new_order()) for _ in range(12))
    )
    assert sorted(status for status, _, _ in made) == [201] * 3 + [409] * 9
    offered = await asyncio.gather(
        *(
            market.provider("POST", "offers", json=new_offer(body["data"]))
            for status, body, _ in made
            if status == 201
        )
    )
    assert sorted(status for status, _, _ in offered) == [201, 201, 409]


async def test_undoing_the_status_of_overdue_orders_keeps_them_as_cancelled(
    empty_database,
) -> None:
    folder = ROOT / "order"
    await asyncio.to_thread(migrations.apply, empty_database, folder, db="order")
    connection = await asyncpg.connect(empty_database)
    try:
        before = await connection.fetch(_INDEXES)
        await connection.execute(
            """
            INSERT INTO service_order (id, customer_id, service_id, longitude, latitude, time_start,
                time_end, description, status)
            VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 0, 0, now(),
                now() + interval '1 hour', 'The tap drips', 'EXPIRED')
            """
        )
        while (
            await asyncio.to_thread(migrations.roll_back_one, empty_database, folder, db="order")
            != "0005_expiry"
        ):
            pass
        statuses = await connection.fetch("SELECT status::text FROM service_order")
        assert [tuple(row) for row in statuses] == [("CANCELLED",)]
        await asyncio.to_thread(migrations.apply, empty_database, folder, db="order")
        assert await connection.fetch(_INDEXES) == before
    finally:
        await connection.close()
