"""Requests that are sent again, and migrations that are undone and done again."""

from __future__ import annotations

import asyncio

import asyncpg

from lib.db import migrations
from tests.services.order.jobs.conftest import new_offer

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
    accepted = [
        await market.customer(
            "POST", f"offers/{offer['id']}/accept", headers={"Idempotency-Key": "accept-1"}
        )
        for _ in range(2)
    ]
    assert [status for status, _, _ in accepted] == [201, 201]
    assert accepted[0][1]["data"] == accepted[1][1]["data"]
    assert await sql.fetchval("SELECT count(*) FROM job") == 1


async def test_every_migration_can_be_undone_and_done_again(empty_database) -> None:
    folder = ROOT / "order"
    done = await asyncio.to_thread(migrations.apply, empty_database, folder, db="order", demo=True)
    undone = []
    while name := await asyncio.to_thread(
        migrations.roll_back_one, empty_database, folder, db="order"
    ):
        undone.append(name)
    assert "0004_jobs" in undone
    assert undone == sorted(undone, reverse=True)
    again = await asyncio.to_thread(migrations.apply, empty_database, folder, db="order", demo=True)
    assert again == done


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
