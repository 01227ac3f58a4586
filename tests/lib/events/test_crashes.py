"""Crashes of relay and consumer by the hundred: every event has its effect exactly once."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from lib.db import Executor
from lib.db.postgres import PostgresDatabase
from lib.events import Consumer, ConsumerPolicy, Event, Relay, publish
from lib.events.event import dead_letters_of
from tests.conftest import Full

KEYS = 10


async def test_no_number_of_crashes_loses_or_repeats_an_event(
    shared_database: str, redis: Redis, any_redis_url: str, topic: str, full: Full
) -> None:
    rounds, each = full(200, sample=40), full(600, sample=120)
    async with (
        asyncpg.create_pool(shared_database, min_size=1, max_size=4) as pool,
        AsyncExitStack() as stack,
    ):
        # No unique key on the effects: a repeated one must show, not fail.
        await pool.execute("CREATE TABLE effect (key text, number int)")
        await pool.execute("CREATE TABLE total (number int)")
        await pool.execute("INSERT INTO total VALUES (0)")
        db = PostgresDatabase(pool)
        # Whatever fails: the pool waits for the connections that it keeps.
        stack.push_async_callback(db.close)
        await _write(db, topic, each)
        await _crash(shared_database, any_redis_url, topic, rounds)
        survived: int = await pool.fetchval("SELECT number FROM total")
        # The crashes fell among the work, not before or after it.
        assert 0 < survived < KEYS * each
        await _finish(db, redis, topic)
        rows = await pool.fetch("SELECT key, number FROM effect")
        total = await pool.fetchval("SELECT number FROM total")
    expected = [(f"key-{key}", number) for key in range(KEYS) for number in range(each)]
    assert sorted(tuple(row) for row in rows) == sorted(expected)
    assert total == KEYS * each
    assert await redis.xlen(dead_letters_of(topic)) == 0


async def _write(db: PostgresDatabase, topic: str, each: int) -> None:
    for number in range(each):
        async with db.transaction() as tx:
            for key in range(KEYS):
                await publish(tx, topic=topic, key=f"key-{key}", kind="counted", payload=number)


async def _crash(database: str, redis: str, topic: str, rounds: int) -> None:
    script = Path(__file__).with_name("crashing.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), database, redis, topic, str(rounds),
        cwd=Path(__file__).parents[3], env={"PYTHONPATH": "."},
    )  # fmt: skip
    try:
        async with asyncio.timeout(240):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


async def _finish(db: PostgresDatabase, redis: Redis, topic: str) -> None:
    async def effect(tx: Executor, event: Event) -> None:
        number = int(event.payload)
        await tx.execute("INSERT INTO effect (key, number) VALUES ($1, $2)", event.key, number)
        await tx.execute("UPDATE total SET number = number + 1")

    relay = Relay(db, redis)
    while await relay.publish_batch():
        pass
    consumer = Consumer(
        db, redis, group="g", name="m", handlers={topic: {"counted": effect}},
        policy=ConsumerPolicy(deliveries=10_000, block_seconds=0.05),
    )  # fmt: skip
    while await consumer.step():
        pass
