"""Events with numbers, and the table that records their effects in order."""

from __future__ import annotations

import msgspec

from lib.db import Database, Executor
from lib.events import Event, Relay, publish


class Step(msgspec.Struct):
    number: int


async def write(db: Database, topic: str, key: str, numbers: range) -> None:
    for number in numbers:
        async with db.transaction() as tx:
            await publish(tx, topic=topic, key=key, kind="step.taken", payload=Step(number))


async def effect(tx: Executor, event: Event) -> None:
    number = event.decode(Step).number
    await tx.execute("INSERT INTO effect (key, number) VALUES ($1, $2)", event.key, number)


async def effects(db: Database, key: str) -> list[int]:
    rows = await db.fetch("SELECT number FROM effect WHERE key = $1 ORDER BY at", key)
    return [number for (number,) in rows]


async def drain(relay: Relay) -> None:
    while await relay.publish_batch():
        pass
