"""PostgreSQL under Patroni: leaders die and freeze under a service's traffic."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import psycopg
import pytest

from devstack.testing import patroni
from devstack.testing.patroni import Node, PatroniCluster
from lib.db import migrations
from lib.ids import new_id
from services.point import service as points
from tests.conftest import Full
from tests.lib.db.earning import EARN, found, opened, traffic

# As long as a leader holds its lock: who waits for that was not told of its death.
BACK_SECONDS = 20.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[PatroniCluster]:
    with patroni.running() as started:
        leader = started.leader()
        with psycopg.connect(started.url_of(leader, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE point")
        migrations.apply(started.url_of(leader, "point"), Path("migrations/point"), db="point")
        yield started


async def test_a_frozen_server_does_not_hide_the_ones_named_after_it(
    cluster: PatroniCluster,
) -> None:
    """The hosts of a URL share the time to connect."""
    await asyncio.to_thread(cluster.complete)
    leader = await asyncio.to_thread(cluster.leader)
    follower = next(node for node in cluster.nodes if node is not leader)
    follower.freeze()
    try:
        async with opened(_first(cluster, follower)) as db:
            assert await points.points_of(db, new_id()) == 0
    finally:
        follower.thaw()


async def test_leaders_are_killed_under_traffic_and_nothing_acknowledged_is_lost(
    cluster: PatroniCluster, full: Full
) -> None:
    outages = []
    async with traffic(cluster.url("point")) as people:
        for _ in range(full(30, sample=1)):
            await asyncio.to_thread(cluster.complete)
            leader = await asyncio.to_thread(cluster.leader)
            people.longest = 0.0
            leader.kill()
            await asyncio.to_thread(cluster.leader, but=leader)
            await people.goes_on()
            outages.append(people.longest)
    assert people.acknowledged <= await asyncio.to_thread(kept_by, cluster)
    assert people.wrong == []
    # Of most: now and then a busy machine keeps an election waiting.
    assert statistics.median(outages) < BACK_SECONDS, outages


@pytest.mark.long  # a leader holds its lock for 20 s at the least
async def test_a_leader_that_was_cut_off_takes_no_write_when_it_is_back(
    cluster: PatroniCluster,
) -> None:
    await asyncio.to_thread(cluster.complete)
    old = await asyncio.to_thread(cluster.leader)
    async with traffic(cluster.url("point")) as people:
        late = await asyncpg.connect(cluster.url_of(old, "point"))
        old.freeze()
        try:
            await asyncio.to_thread(cluster.leader, but=old)
            await people.goes_on()
        finally:
            old.thaw()
        mine = new_id()
        with contextlib.suppress(asyncpg.PostgresError, OSError, TimeoutError):
            await late.execute(EARN, mine, new_id(), timeout=3)
            pytest.fail("the old leader acknowledged a write")
        late.terminate()
        await people.goes_on()
    kept = await asyncio.to_thread(kept_by, cluster)
    assert people.acknowledged <= kept
    assert mine not in kept


def kept_by(cluster: PatroniCluster) -> set[UUID]:
    return found(cluster.url_of(cluster.leader(), "point"))


def _first(cluster: PatroniCluster, node: Node) -> str:
    """Return the cluster's URL with a node's host in the first place."""
    hosts = [f"127.0.0.1:{other.port}" for other in cluster.nodes]
    mine = f"127.0.0.1:{node.port}"
    rest = ",".join(host for host in hosts if host != mine)
    return cluster.url("point").replace(",".join(hosts), f"{mine},{rest}")
