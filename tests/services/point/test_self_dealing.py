"""Self-dealing creates no points: values are converted, capped and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from lib.db import Database
from lib.events import Event
from lib.ids import new_id
from services.point import service
from services.point.awards import HANDLERS
from services.point.model import FOR_A_JOB_DONE, PER_AWARD, PER_DAY, PER_PAIR
from tests.services.calling import by_hand
from tests.services.point.test_awards import CUSTOMER, PROVIDER, _event

HUGE = "9999999999.99"


@pytest.fixture
async def db(new_database) -> AsyncIterator[Database]:
    async with by_hand(await new_database("point")) as db:
        yield db


async def hear(db: Database, event: Event) -> None:
    async with db.transaction() as tx:
        await HANDLERS[event.topic][event.kind](tx, event)


async def job(
    db: Database,
    kind: str = "completed",
    *,
    price: str = "80.00",
    currency: str = "EUR",
    customer: UUID = CUSTOMER,
    provider: UUID = PROVIDER,
    job_id: UUID | None = None,
) -> UUID:
    job_id = job_id or new_id()
    payload = {
        "job_id": job_id, "customer_id": customer, "provider_id": provider,
        "price": price, "currency": currency, "by": "admin",
    }  # fmt: skip
    await hear(db, _event("jobs", f"job.{kind}", job_id, payload))
    return job_id


async def order(db: Database, total: str, currency: str) -> None:
    order_id = new_id()
    payload = {"order_id": order_id, "user_id": CUSTOMER, "total": total, "currency": currency}
    await hear(db, _event("orders", "order.settled", order_id, payload))


async def test_one_job_at_a_price_of_ten_digits_makes_nobody_rich(db) -> None:
    await job(db, price=HUGE)
    assert await service.points_of(db, CUSTOMER) == PER_AWARD
    await order(db, HUGE, "EUR")
    assert await service.points_of(db, CUSTOMER) == 2 * PER_AWARD


@pytest.mark.parametrize(
    ("currency", "points"), [("EUR", 100), ("USD", 90), ("JPY", 0), ("VND", 0), ("XXX", 0)]
)
async def test_what_is_paid_counts_by_its_currency(db, currency, points) -> None:
    await job(db, price="1000.00", currency=currency)
    assert await service.points_of(db, CUSTOMER) == points
    await order(db, "1000.00", currency)
    assert await service.points_of(db, CUSTOMER) == 2 * points


async def test_the_same_two_are_thanked_only_so_often(db) -> None:
    for number in range(PER_PAIR + 4):
        # Also where they take turns.
        sides = (CUSTOMER, PROVIDER) if number % 2 else (PROVIDER, CUSTOMER)
        await job(db, price="10.00", customer=sides[0], provider=sides[1])
    entries = await db.fetchval("SELECT count(*) FROM point_entry")
    assert entries == 2 * PER_PAIR
    assert await service.points_of(db, new_id()) == 0
    other = new_id()
    before = await service.points_of(db, CUSTOMER)
    await job(db, price="10.00", provider=other)
    assert await service.points_of(db, CUSTOMER) == before + 1, "with others it goes on"


async def test_a_day_has_an_end(db) -> None:
    for _ in range(PER_DAY // PER_AWARD + 3):
        await job(db, price=HUGE, provider=new_id())
    assert await service.points_of(db, CUSTOMER) == PER_DAY
    await db.execute("ALTER TABLE point_entry DISABLE TRIGGER point_entry_is_final")
    await db.execute("UPDATE point_entry SET created_at = created_at - interval '1 day'")
    await job(db, price="10.00", provider=new_id())
    assert await service.points_of(db, CUSTOMER) == PER_DAY + 1


async def test_jobs_heard_at_the_same_time_do_not_pass_the_limit_of_a_day(db) -> None:
    wanted = PER_DAY // PER_AWARD + 5
    await asyncio.gather(*(job(db, price=HUGE, provider=new_id()) for _ in range(wanted)))
    assert await service.points_of(db, CUSTOMER) == PER_DAY


async def test_a_job_that_is_taken_back_takes_its_points_back_once(db) -> None:
    job_id = await job(db, price="80.00")
    assert await service.points_of(db, CUSTOMER) == 8
    for _ in range(2):
        await job(db, "cancelled", job_id=job_id)
    assert await service.points_of_many(db, [CUSTOMER, PROVIDER]) == {CUSTOMER: 0, PROVIDER: 0}
    reasons = await db.fetch("SELECT amount, reason FROM point_entry ORDER BY amount")
    assert [tuple(row) for row in reasons] == [
        (-FOR_A_JOB_DONE, f"job {job_id} taken back"),
        (-8, f"job {job_id} taken back"),
        (8, f"job {job_id} completed"),
        (FOR_A_JOB_DONE, f"job {job_id} completed"),
    ]
    await job(db, job_id=job_id)
    assert await service.points_of(db, CUSTOMER) == 0, "nor does it come again"


async def test_what_was_spent_meanwhile_cannot_be_taken_back(db) -> None:
    job_id = await job(db, price="80.00")
    await db.execute(
        "INSERT INTO point_entry (id, user_id, amount, reason) VALUES ($1, $2, -5, 'voucher')",
        new_id(),
        CUSTOMER,
    )
    await job(db, "cancelled", job_id=job_id)
    assert await service.points_of(db, CUSTOMER) == 0


async def test_a_job_that_was_never_completed_takes_nothing(db) -> None:
    await job(db, "cancelled")
    assert await db.fetchval("SELECT count(*) FROM point_entry") == 0
