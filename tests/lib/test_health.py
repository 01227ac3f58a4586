"""Readiness: each failure by name, bounded, shared, and false while draining."""

from __future__ import annotations

import asyncio
from time import perf_counter

import structlog

from lib.health import Health


async def works() -> None: ...


async def broken() -> None:
    raise ConnectionError("refused")


async def hangs() -> None:
    await asyncio.sleep(60)


async def test_every_resource_is_reported_and_a_hanging_one_does_not_hold_the_answer() -> None:
    health = Health("shop", ping_seconds=0.05)
    for name, ping in (("database", works), ("point", broken), ("redis", hangs)):
        health.add(name, ping)
    started = perf_counter()
    found = await health.check()
    assert perf_counter() - started < 30
    assert not found.ready
    assert found.checks == {
        "database": "ok",
        "point": "unavailable",
        "redis": "no response within 0.05 s",
    }


async def test_a_failure_is_a_warning_only_after_the_resource_has_answered_once() -> None:
    answers = iter((broken, works, broken))
    health = Health("shop", cache_seconds=0.0)
    health.add("database", lambda: next(answers)())
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            await health.check()
    assert [line["log_level"] for line in logged] == ["info", "warning"]


async def test_probes_at_the_same_time_share_one_round_of_pings() -> None:
    pings = 0

    async def count() -> None:
        nonlocal pings
        pings += 1
        await asyncio.sleep(0)

    health = Health("shop")
    health.add("database", count)
    for _ in range(3):
        await asyncio.gather(*(health.check() for _ in range(10)))
    assert pings == 1


async def test_a_probe_that_hangs_up_does_not_spoil_the_answer_for_others() -> None:
    gate = asyncio.Event()
    health = Health("shop")
    health.add("database", gate.wait)
    impatient, patient = (asyncio.create_task(health.check()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert (await patient).ready


async def test_an_old_answer_is_not_given_again() -> None:
    health = Health("shop", cache_seconds=0.0)
    health.add("database", works)
    assert (await health.check()).ready
    health.add("database", broken)
    assert not (await health.check()).ready


async def test_a_draining_process_is_not_ready_whatever_its_resources_say() -> None:
    health = Health("shop")
    health.add("database", works)
    health.drain()
    assert not (await health.check()).ready
