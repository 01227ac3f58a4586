"""A job is completed if its customer confirms or does not object; the provider cannot do it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from lib.clock import utc_now
from services.order.marketplace.service.confirmation import confirm_silent
from tests.services.order.marketplace.conftest import expect, refused

WINDOW = timedelta(days=3)


async def told(sql, kind: str) -> int:
    return await sql.fetchval("SELECT count(*) FROM outbox WHERE kind = $1", kind)


async def test_a_provider_alone_completes_no_job(market, sql) -> None:
    job = await market.job("IN_PROGRESS")
    path = f"jobs/{job['id']}"
    answer = await refused(market.provider("PATCH", path, json={"status": "COMPLETED"}))
    assert answer[:2] == (403, "FORBIDDEN")
    await expect(200, market.provider("PATCH", path, json={"status": "DONE"}))
    answer = await refused(market.provider("PATCH", path, json={"status": "COMPLETED"}))
    assert answer[:2] == (403, "FORBIDDEN")
    assert (await told(sql, "job.done"), await told(sql, "job.completed")) == (1, 0)
    review = {"job_id": job["id"], "rating": 5}
    assert (await refused(market.provider("POST", "reviews", json=review)))[0] == 409
    await expect(200, market.customer("PATCH", path, json={"status": "COMPLETED"}))
    assert await told(sql, "job.completed") == 1


async def test_a_customer_who_objects_has_the_work_go_on(market, db, sql) -> None:
    job = await market.job("IN_PROGRESS", "DONE")
    path = f"jobs/{job['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": "IN_PROGRESS"}))
    assert await confirm_silent(db, window=WINDOW, clock=lambda: utc_now() + 2 * WINDOW) == 0
    assert await told(sql, "job.completed") == 0


async def test_who_says_nothing_for_the_window_has_confirmed(market, db, sql) -> None:
    job = await market.job("IN_PROGRESS", "DONE")
    early = utc_now() + WINDOW - timedelta(minutes=5)
    assert await confirm_silent(db, window=WINDOW, clock=lambda: early) == 0
    late = utc_now() + WINDOW + timedelta(minutes=5)
    confirmed = await asyncio.gather(
        *(confirm_silent(db, window=WINDOW, clock=lambda: late) for _ in range(4))
    )
    assert sum(confirmed) == 1, "whoever sweeps at the same time"
    seen = await expect(200, market.customer("GET", f"jobs/{job['id']}"))
    order = await expect(200, market.customer("GET", f"service-orders/{job['order_id']}"))
    assert (seen["status"], order["status"]) == ("COMPLETED", "COMPLETED")
    assert await told(sql, "job.completed") == 1


async def test_an_administrator_takes_a_completed_job_back(market, admin, sql) -> None:
    job = await market.done()
    path, off = f"jobs/{job['id']}", {"status": "CANCELLED"}
    for side in (market.customer, market.provider):
        assert (await refused(side("PATCH", path, json=off)))[0] == 403
    await expect(200, admin("PATCH", path, json=off))
    order = await expect(200, market.customer("GET", f"service-orders/{job['order_id']}"))
    assert order["status"] == "CANCELLED"
    assert (await told(sql, "job.completed"), await told(sql, "job.cancelled")) == (1, 1)
