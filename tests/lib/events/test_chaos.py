"""Nodes of a broker cluster and services are killed: no event is lost or handled twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.testing.nats import TestNatsCluster
from devstack.testing.wait import eventually
from lib.db import Database
from lib.events import publish
from tests.conftest import Full

KEYS = 5
WORKING = Path(__file__).with_name("working.py")


class Workers:
    """Two processes, each with a relay and a consumer, that restart whenever they are killed."""

    def __init__(self, *arguments: str) -> None:
        self._parents = [
            subprocess.Popen(
                [sys.executable, str(WORKING), *arguments],
                cwd=WORKING.parents[3], env={"PYTHONPATH": "."},
                stdout=subprocess.PIPE, text=True, start_new_session=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        self._children = [self._next(parent) for parent in self._parents]

    def _next(self, parent: subprocess.Popen[str]) -> int:
        assert parent.stdout is not None
        while not (line := parent.stdout.readline()).strip().isdigit():
            assert line, "the process is gone"
        return int(line)

    def kill(self, which: int) -> None:
        os.kill(self._children[which], signal.SIGKILL)
        self._children[which] = self._next(self._parents[which])

    def stop(self) -> None:
        for parent in self._parents:
            os.killpg(parent.pid, signal.SIGKILL)
            parent.wait()


@contextmanager
def working(*arguments: str) -> Iterator[Workers]:
    workers = Workers(*arguments)
    try:
        yield workers
    finally:
        workers.stop()


@pytest.fixture
def whole_cluster(nats_cluster: TestNatsCluster) -> Iterator[TestNatsCluster]:
    yield nats_cluster
    nats_cluster.wait_whole()


async def test_nodes_and_services_die_at_random_and_every_event_has_one_effect(
    db: Database, shared_database: str, whole_cluster: TestNatsCluster, topic: str, full: Full
) -> None:
    # In the long run 500 events a second for three minutes; CHAOS_SECONDS and CHAOS_RATE say else.
    rate = int(os.environ.get("CHAOS_RATE", "0")) or full(500, sample=50)
    seconds = int(os.environ.get("CHAOS_SECONDS", "0")) or full(180, sample=4)
    each, chance = full(10, sample=2), random.Random(23)
    url = f"{whole_cluster.url}&ack_seconds=1"
    written, kills = 0, {"node": 0, "service": 0}

    async def write() -> None:
        nonlocal written
        end, due = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < end:
            async with db.transaction() as tx:
                for number in range(written, written + each):
                    for key in range(KEYS):
                        await publish(
                            tx, topic=topic, key=f"key-{key}", kind="counted", payload=number
                        )
            written += each
            due += each * KEYS / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def kill(workers: Workers) -> None:
        while not writing.done() or not all(kills.values()):
            await asyncio.sleep(chance.uniform(0.5, 1.0) * full(6.0, sample=1.5))
            # At random, and neither much more often than the other.
            if kills["node"] > kills["service"] or (any(kills.values()) and chance.random() < 0.5):
                await asyncio.to_thread(workers.kill, chance.randrange(2))
                kills["service"] += 1
                continue
            server = chance.choice(whole_cluster.servers)
            server.kill()
            kills["node"] += 1
            await asyncio.sleep(chance.uniform(0, 1.0) * full(3.0, sample=0.5))
            await asyncio.to_thread(whole_cluster.wait_whole)

    with working(shared_database, url, topic) as workers:
        writing = asyncio.create_task(write())
        await kill(workers)
        await writing

        done = [0]

        async def more() -> bool:
            done.append(await db.fetchval("SELECT count(*) FROM effect"))
            return done[-1] > done[0] or done[-1] >= written * KEYS

        # A busy machine is behind: as long as effects come, none is missed.
        while done[0] < written * KEYS:
            await eventually(more, within=120)
            done = done[-1:]
    assert min(kills.values()) > 0
    print(f"{written * KEYS} events in {seconds} s, killed: {kills}")
    rows = await db.fetch("SELECT key, array_agg(number ORDER BY at) FROM effect GROUP BY key")
    assert {key: list(numbers) for key, numbers in rows} == {
        f"key-{key}": list(range(written)) for key in range(KEYS)
    }
