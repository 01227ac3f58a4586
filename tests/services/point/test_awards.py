"""Events of other services become points: once each, and the ledger has the reason."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis

from devstack.testing.wait import eventually
from lib.clock import utc_now
from lib.db.errors import UniqueViolationError
from lib.events import Event, stream_of
from lib.events.event import dead_letters_of
from lib.ids import new_id
from services.point import model, service
from tests.services.point.crashing import awarding, settled

CUSTOMER, PROVIDER = new_id(), new_id()
ENTRIES = "SELECT user_id, amount, reason FROM point_entry ORDER BY amount, source"


@pytest.fixture
async def database_url(new_database) -> str:
    return await new_database("point")


def delivered(order_id: UUID, total: str, user_id: UUID = CUSTOMER) -> Event:
    payload = {
        "order_id": order_id,
        "user_id": user_id,
        "status": "delivered",
        "total": total,
        "currency": "EUR",
    }
    return _event("orders", "order.settled", order_id, payload)


def completed(job_id: UUID, price: str, provider_id: UUID = PROVIDER) -> Event:
    payload = {
        "job_id": job_id,
        "order_id": new_id(),
        "customer_id": CUSTOMER,
        "provider_id": provider_id,
        "price": price,
        "currency": "EUR",
    }
    return _event("jobs", "job.completed", job_id, payload)


def _event(topic: str, kind: str, key: UUID, payload: dict) -> Event:
    text = msgspec.json.encode(payload).decode()
    return Event(new_id(), topic, str(key), kind, text, "", "", utc_now())


async def send(redis: Redis, *events: Event) -> None:
    for event in events:
        await redis.xadd(stream_of(event.topic), event.fields())


@pytest.mark.parametrize(
    ("amount", "points"),
    [
        ("0", 0),
        ("9.99", 0),
        ("10", 1),
        ("19.99", 1),
        ("20.00", 2),
        ("999999999999.99", 99999999999),
    ],
)
def test_every_ten_spent_are_a_point(amount, points) -> None:
    assert model.points_for_spending(Decimal(amount)) == points


async def test_orders_and_jobs_become_entries_that_say_what_for(db, redis) -> None:
    order_id, job_id, cheap = new_id(), new_id(), new_id()
    async with awarding(db, redis):
        await send(
            redis,
            delivered(order_id, "123.45"),
            delivered(cheap, "9.99"),
            completed(job_id, "80.00"),
            _event("orders", "order.created", order_id, {}),
        )
        await eventually(lambda: settled(redis))
    rows = [tuple(row) for row in await db.fetch(ENTRIES)]
    assert rows == [
        (CUSTOMER, 8, f"job {job_id} completed"),
        (PROVIDER, 10, f"job {job_id} completed"),
        (CUSTOMER, 12, f"order {order_id} delivered"),
    ]
    assert await service.points_of_many(db, [CUSTOMER, PROVIDER]) == {CUSTOMER: 20, PROVIDER: 10}


async def test_what_is_delivered_twice_is_awarded_once(db, redis) -> None:
    order_id = new_id()
    same = delivered(order_id, "100")
    async with awarding(db, redis):
        # The same event again, and another event that tells of the same delivery.
        await send(redis, same, same, delivered(order_id, "100"))
        await eventually(lambda: settled(redis))
    assert await service.points_of(db, CUSTOMER) == 10
    assert await db.fetchval("SELECT count(*) FROM point_entry") == 1


async def test_the_database_itself_refuses_a_second_award(db) -> None:
    async def once() -> None:
        async with db.transaction() as tx:
            await service.award(tx, CUSTOMER, 5, reason="test", source="order:1:customer")

    answers = await asyncio.gather(*(once() for _ in range(8)), return_exceptions=True)
    refused = [answer for answer in answers if answer is not None]
    assert all(isinstance(answer, UniqueViolationError) for answer in refused)
    assert await service.points_of(db, CUSTOMER) == 5


async def test_a_full_balance_takes_what_fits_and_no_more(db) -> None:
    await db.execute(
        "INSERT INTO point_entry (id, user_id, amount, reason) VALUES ($1, $2, $3, 'by hand')",
        *(new_id(), CUSTOMER, model.MAX_BALANCE - 3),
    )
    for source in ("b", "c"):
        async with db.transaction() as tx:
            await service.award(tx, CUSTOMER, 10, reason="test", source=source)
    amounts = await db.fetch("SELECT amount FROM point_entry ORDER BY amount DESC")
    assert [tuple(row) for row in amounts] == [(model.MAX_BALANCE - 3,), (3,)]


@pytest.mark.aiosqlc_loops(4)  # an event that fails is tried three times
async def test_what_is_no_such_event_is_set_aside_and_holds_up_nobody(db, redis) -> None:
    async with awarding(db, redis):
        broken = _event("orders", "order.settled", new_id(), {"order_id": "x"})
        await send(redis, broken, delivered(new_id(), "50"))
        await eventually(lambda: settled(redis))
    assert await service.points_of(db, CUSTOMER) == 5
    assert await redis.xlen(dead_letters_of("orders")) == 1


async def test_nothing_is_lost_or_awarded_twice_however_often_the_process_is_killed(
    db, redis, database_url, own_redis_url
) -> None:
    orders = [new_id() for _ in range(100)]
    for order_id in orders:
        event = delivered(order_id, "10")
        # Another provider each: the same two are thanked only so often.
        await send(redis, event, event, completed(order_id, "10", new_id()))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.services.point.crashing", database_url, own_redis_url, "12"),
        cwd=Path.cwd(),
        stdout=asyncio.subprocess.PIPE,
    )
    killed, _ = await asyncio.wait_for(process.communicate(), 240)
    assert process.returncode == 0
    assert int(killed) > 5
    assert await settled(redis)
    # One for each order, one and ten for each job.
    assert await service.points_of(db, CUSTOMER) == 2 * len(orders)
    given = await db.fetchval("SELECT sum(balance) FROM point_balance")
    assert given == (2 + model.FOR_A_JOB_DONE) * len(orders)
    assert await db.fetchval("SELECT count(*) FROM point_entry") == 3 * len(orders)
    assert await redis.exists(dead_letters_of("orders"), dead_letters_of("jobs")) == 0
