"""A relay and a consumer that restart whenever they are killed: `working.py DB BROKER TOPIC`.

The program prints the process ID of each on its own line.
"""

from __future__ import annotations

import asyncio
import os
import sys

import asyncpg

from lib.db import Executor
from lib.db.postgres import PostgresDatabase
from lib.events import Consumer, ConsumerPolicy, Event, Relay
from lib.events.brokers import open_broker

POLICY = ConsumerPolicy(deliveries=10_000, block_seconds=0.1)


async def effect(tx: Executor, event: Event) -> None:
    number = int(event.payload)
    await tx.execute("INSERT INTO effect (key, number) VALUES ($1, $2)", event.key, number)


async def work(database: str, url: str, topic: str) -> None:
    async with (
        asyncpg.create_pool(database, min_size=1, max_size=3) as pool,
        open_broker(url, name="working") as broker,
    ):
        db = PostgresDatabase(pool)
        handlers = {topic: {"counted": effect}}
        consumer = Consumer(
            db, broker, group="g", name=str(os.getpid()), handlers=handlers, policy=POLICY
        )
        async with Relay(db, broker).running(), consumer.running():
            await asyncio.Event().wait()


def main(database: str, url: str, topic: str) -> None:
    while True:
        # Forked from a process that has imported everything, so that it is back at once.
        child = os.fork()
        if child == 0:
            asyncio.run(work(database, url, topic))
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
