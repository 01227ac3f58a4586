"""Events while Redis servers are killed, hang and are replaced, and while slots move."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest

from devstack.testing.redis_groups import TestCluster, TestSentinels
from devstack.testing.wait import eventually
from lib.db import Database
from lib.events import Consumer, ConsumerPolicy, Relay, publish
from lib.events.broker import Broker
from lib.events.brokers import open_broker
from lib.events.event import stream_of
from lib.events.lanes import lane_of
from lib.events.store import outbox
from lib.redis import RedisOptions
from tests.conftest import Full
from tests.lib.events.steps import Step, effect, effects

KEYS = ("a", "b", "c")
POLICY = ConsumerPolicy(deliveries=10_000, block_seconds=0.05, retry_wait=0.01)


class Load:
    """Write events of some keys until told to stop; count the events of each key."""

    def __init__(self, db: Database, topic: str) -> None:
        self._db, self._topic = db, topic
        self.written = 0
        self.is_over = False

    async def run(self) -> None:
        while not self.is_over:
            async with self._db.transaction() as tx:
                for key in KEYS:
                    step = Step(self.written)
                    await publish(tx, topic=self._topic, key=key, kind="step", payload=step)
            self.written += 1
            await asyncio.sleep(0.03)


@asynccontextmanager
async def flowing(db: Database, broker: Broker, topic: str) -> AsyncIterator[Load]:
    """Write, relay and consume while the block runs.

    At the end, wait until all events have arrived.
    """
    handlers = {topic: {"step": effect}}
    consumer = Consumer(db, broker, group="g", name="m", handlers=handlers, policy=POLICY)
    load = Load(db, topic)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(Relay(db, broker).running())
        await stack.enter_async_context(consumer.running())
        writing = asyncio.create_task(load.run())
        try:
            yield load
        finally:
            load.is_over = True
            await writing
        await eventually(lambda: _arrived(db, load), within=240)


async def _arrived(db: Database, load: Load) -> bool:
    ((count,),) = await db.fetch("SELECT count(DISTINCT (key, number)) FROM effect")
    left = (await outbox(db).measure_backlog()).events
    return left == 0 and count >= load.written * len(KEYS)


async def each_once_in_order(db: Database, broker: Broker, topic: str, written: int) -> None:
    for key in KEYS:
        assert await effects(db, key) == list(range(written))
    assert await broker.dead_letters(topic, 1) == ([], 0)


async def disturb(load: Load, harms: Sequence[Callable[[], None]], rounds: int) -> None:
    chance = random.Random(11)
    for at in range(rounds):
        before = load.written
        await eventually(lambda before=before: load.written > before + 10)
        harm = harms[at] if at < len(harms) else chance.choice(harms)
        await asyncio.to_thread(harm)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the timeouts of production, so that a server that hangs is left soon."""
    monkeypatch.setattr("lib.events.brokers.RedisOptions", partial(RedisOptions, io_seconds=0.5))


@pytest.fixture
def whole_cluster(redis_cluster: TestCluster):
    yield redis_cluster
    redis_cluster.wait_whole()


@pytest.fixture
def whole_sentinels(redis_sentinels: TestSentinels):
    yield redis_sentinels
    redis_sentinels.wait_whole()


@pytest.mark.parametrize("lanes", [1, pytest.param(4, marks=pytest.mark.long)])
async def test_nodes_of_a_cluster_fail_and_slots_move_and_every_event_has_one_effect(
    db: Database, whole_cluster: TestCluster, topic: str, lanes: int, full: Full
) -> None:
    stream = stream_of(topic if lanes == 1 else lane_of(topic, KEYS[0], lanes))
    slot = whole_cluster.slot_of(stream)

    def move() -> None:
        mine = whole_cluster.primary_of(stream)
        other = next(one for one in whole_cluster.primaries() if one is not mine)
        whole_cluster.move_slot(slot, other)

    def kill() -> None:
        whole_cluster.replace_primary_of(stream)
        whole_cluster.wait_whole()

    def hang() -> None:
        whole_cluster.freeze_primary_of(stream)
        whole_cluster.wait_whole()

    def kill_before_its_replica_has_all() -> None:
        whole_cluster.replace_with_late_replica(stream)
        whole_cluster.wait_whole()

    harms = [move, kill, hang]
    if lanes == 1:  # else the relay may wait for an entry of another lane on the same server
        harms.insert(1, kill_before_its_replica_has_all)
    async with open_broker(f"{whole_cluster.url}?lanes={lanes}", name="test") as broker:
        async with flowing(db, broker, topic) as load:
            await disturb(load, harms, full(24, sample=2))
        await each_once_in_order(db, broker, topic, load.written)


async def test_the_primary_under_sentinels_fails_and_every_event_has_one_effect(
    db: Database, whole_sentinels: TestSentinels, topic: str, full: Full
) -> None:
    def kill() -> None:
        whole_sentinels.replace_primary()
        whole_sentinels.wait_whole()

    def hang() -> None:
        whole_sentinels.freeze_primary()
        whole_sentinels.wait_whole()

    # Both: one that hung and comes back may still have a replica that was not told yet.
    url = f"{whole_sentinels.url}&replicas=2"
    async with open_broker(url, name="test") as broker:
        async with flowing(db, broker, topic) as load:
            await disturb(load, (kill, hang), full(12, sample=1))
        await each_once_in_order(db, broker, topic, load.written)
