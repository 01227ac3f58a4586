"""A relay and a consumer that are killed repeatedly: `crashing.py DB BROKER TOPIC ROUNDS`."""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

import asyncpg

from lib.db import Executor
from lib.db.postgres import PostgresDatabase
from lib.events import Consumer, ConsumerPolicy, Event, Relay
from lib.events.brokers import open_broker

POLICY = ConsumerPolicy(deliveries=10_000, block_seconds=0.02, take_over_seconds=30.0)


async def effect(tx: Executor, event: Event) -> None:
    number = int(event.payload)
    await tx.execute("INSERT INTO effect (key, number) VALUES ($1, $2)", event.key, number)
    # Long enough that the work outlasts the crashes, on any machine.
    await asyncio.sleep(random.uniform(0, 0.006))
    await tx.execute("UPDATE total SET number = number + 1")


async def work(database: str, url: str, topic: str, begun: int) -> None:
    async def told(tx: Executor, event: Event) -> None:
        os.write(begun, b".")
        await effect(tx, event)

    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            asyncpg.create_pool(database, min_size=1, max_size=3)
        )
        broker = await stack.enter_async_context(open_broker(url, name="crashing"))
        db = PostgresDatabase(pool)
        handlers = {topic: {"counted": told}}
        consumer = Consumer(db, broker, group="g", name="m", handlers=handlers, policy=POLICY)
        await stack.enter_async_context(Relay(db, broker, batch_size=20).running())
        await stack.enter_async_context(consumer.running())
        await asyncio.Event().wait()


def crash_once(chance: random.Random, begin: Callable[[int], None], *, early: bool) -> None:
    """Fork a process and kill it at a random time during its work or early."""
    heard, begun = os.pipe()
    child = os.fork()
    if child == 0:
        begin(begun)
        os._exit(0)
    os.close(begun)
    began = time.monotonic()
    if not early:
        # Not by the clock: a machine that is busy would never come to the work.
        select.select([heard], [], [], 20)
    span = max(0.09, time.monotonic() - began)
    time.sleep(chance.uniform(0, 1) * span)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(heard)


def main(database: str, url: str, topic: str, rounds: int) -> None:
    # Forked from a process that has imported everything, so that a round takes milliseconds.
    chance = random.Random(7)
    for number in range(rounds):
        crash_once(
            chance,
            lambda begun: asyncio.run(work(database, url, topic, begun)),
            early=number % 5 == 0,
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
