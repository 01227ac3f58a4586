"""Hundreds of crashes of relay and consumer: every event has its effect exactly once."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from devstack.testing.wait import DEADLINE, eventually
from lib.db import Executor
from lib.db.postgres import PostgresDatabase
from lib.events import Consumer, ConsumerPolicy, Event, Relay, publish
from lib.events.brokers import open_broker
from tests.conftest import Full

KEYS = 10


async def test_no_number_of_crashes_loses_or_repeats_an_event(
    shared_database: str, any_broker_url: str, topic: str, full: Full
) -> None:
    # On JetStream each crash is noticed after the silence that the URL says.
    nats = any_broker_url.startswith("nats")
    rounds, each = full(200, sample=6 if nats else 40), full(600, sample=40 if nats else 120)
    async with (
        asyncpg.create_pool(shared_database, min_size=1, max_size=4) as pool,
        AsyncExitStack() as stack,
    ):
        # No unique key on the effects: a repeated one must show, not fail.
        await pool.execute("CREATE TABLE effect (key text, number int)")
        await pool.execute("CREATE TABLE total (number int)")
        await pool.execute("INSERT INTO total VALUES (0)")
        db = PostgresDatabase(pool, acquire_seconds=DEADLINE, open_seconds=DEADLINE)
        # Whatever fails: the pool waits for the connections that it keeps.
        stack.push_async_callback(db.close)
        await _write(db, topic, range(each))
        crashing = asyncio.create_task(_crash(shared_database, any_broker_url, topic, rounds))
        while not crashing.done():
            # How far a process comes that begins late: there is always more to do.
            if await pool.fetchval("SELECT number FROM total") > KEYS * (each - 30):
                await _write(db, topic, range(each, each := each + 30))
            await asyncio.wait((crashing,), timeout=0.05)
        await crashing
        survived: int = await pool.fetchval("SELECT number FROM total")
        # The crashes fell among the work, not before or after it.
        assert 0 < survived < KEYS * each
        await _finish(db, any_broker_url, topic, KEYS * each)
        rows = await pool.fetch("SELECT key, number FROM effect")
        total = await pool.fetchval("SELECT number FROM total")
    expected = [(f"key-{key}", number) for key in range(KEYS) for number in range(each)]
    assert sorted(tuple(row) for row in rows) == sorted(expected)
    assert total == KEYS * each


async def _write(db: PostgresDatabase, topic: str, numbers: range) -> None:
    for number in numbers:
        async with db.transaction() as tx:
            for key in range(KEYS):
                await publish(tx, topic=topic, key=f"key-{key}", kind="counted", payload=number)


async def _crash(database: str, broker: str, topic: str, rounds: int) -> None:
    script = Path(__file__).with_name("crashing.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), database, broker, topic, str(rounds),
        cwd=Path(__file__).parents[3], env={"PYTHONPATH": "."},
    )  # fmt: skip
    try:
        # A round is over by itself; in the long run there are many.
        async with asyncio.timeout(20 * rounds + 240):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


async def _finish(db: PostgresDatabase, url: str, topic: str, count: int) -> None:
    async def effect(tx: Executor, event: Event) -> None:
        number = int(event.payload)
        await tx.execute("INSERT INTO effect (key, number) VALUES ($1, $2)", event.key, number)
        await tx.execute("UPDATE total SET number = number + 1")

    async def step() -> bool:
        await relay.publish_batch()
        await consumer.step()
        return bool(await db.fetchval("SELECT number FROM total") >= count)

    async with open_broker(url, name="finishing") as broker:
        relay = Relay(db, broker)
        consumer = Consumer(
            db, broker, group="g", name="m", handlers={topic: {"counted": effect}},
            policy=ConsumerPolicy(deliveries=10_000, block_seconds=0.05),
        )  # fmt: skip
        await eventually(step, within=0.2 * count + 240)
        assert (await broker.dead_letters(topic, 1))[1] == 0
        await consumer.close()
