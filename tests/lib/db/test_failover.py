"""PostgreSQL under Patroni: leaders die and freeze under a service's traffic."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import psycopg
import pytest
from pydantic import SecretStr

from devstack.testing import patroni
from devstack.testing.patroni import Node, PatroniCluster
from lib.config import DatabaseSettings
from lib.db import migrations
from lib.db.errors import DatabaseUnavailableError, StatementTimeoutError, UniqueViolationError
from lib.db.postgres import PostgresDatabase, open_database
from lib.ids import new_id
from services.point import service as points
from tests.conftest import Full

EARN = "INSERT INTO point_entry (id, user_id, amount, reason) VALUES ($1, $2, 1, 'test')"
FOUND = "SELECT id FROM point_entry"
WRONG = """
SELECT count(*) FROM point_balance AS b
WHERE balance <> (SELECT coalesce(sum(amount), 0) FROM point_entry AS e WHERE e.user_id = b.user_id)
"""
AWAY = (DatabaseUnavailableError, StatementTimeoutError)
PAUSE = 0.02
BACK_SECONDS = 10.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[PatroniCluster]:
    with patroni.running() as started:
        leader = started.leader()
        with psycopg.connect(started.url_of(leader, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE point")
        migrations.apply(started.url_of(leader, "point"), Path("migrations/point"), db="point")
        yield started


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresDatabase]:
    settings = DatabaseSettings(
        _env_file=None, database_url=SecretStr(url), db_pool_min=2, db_pool_max=8
    )
    async with open_database(settings, application="test") as db:
        yield db


class Traffic:
    """People who earn points one after the other, and remember which were acknowledged."""

    def __init__(self, db: PostgresDatabase) -> None:
        self.db = db
        self.acknowledged: set[UUID] = set()
        self.last = time.monotonic()
        self.longest = 0.0

    async def person(self) -> None:
        me = new_id()
        while True:
            entry = new_id()
            while True:
                try:
                    await self.db.execute(EARN, entry, me)
                except AWAY:
                    await asyncio.sleep(PAUSE)
                    continue
                except UniqueViolationError:
                    pass  # it had been done before the connection broke
                break
            self.acknowledged.add(entry)
            now = time.monotonic()
            self.longest, self.last = max(self.longest, now - self.last), now
            await asyncio.sleep(PAUSE)

    async def goes_on(self, seconds: float = 60.0) -> None:
        """Wait until somebody earns again."""
        before = self.last
        async with asyncio.timeout(seconds):
            while self.last == before:
                await asyncio.sleep(PAUSE)


@asynccontextmanager
async def traffic(cluster: PatroniCluster) -> AsyncIterator[Traffic]:
    async with opened(cluster.url("point")) as db:
        under = Traffic(db)
        people = [asyncio.create_task(under.person()) for _ in range(6)]
        try:
            await under.goes_on()
            yield under
        finally:
            for person in people:
                person.cancel()
            await asyncio.gather(*people, return_exceptions=True)


def found(cluster: PatroniCluster) -> set[UUID]:
    """Return the entries that the leader has, after looking that every balance is their sum."""
    with psycopg.connect(cluster.url_of(cluster.leader(), "point")) as connection:
        wrong = connection.execute(WRONG).fetchone()
        assert wrong == (0,)
        return {row[0] for row in connection.execute(FOUND)}


async def test_a_frozen_server_does_not_hide_the_ones_named_after_it(
    cluster: PatroniCluster,
) -> None:
    """The time to connect is shared among the hosts of a URL."""
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
    async with traffic(cluster) as people:
        for _ in range(full(30, sample=1)):
            await asyncio.to_thread(cluster.complete)
            leader = await asyncio.to_thread(cluster.leader)
            people.longest = 0.0
            leader.kill()
            await asyncio.to_thread(cluster.leader, but=leader)
            await people.goes_on()
            outages.append(people.longest)
    assert people.acknowledged <= await asyncio.to_thread(found, cluster)
    assert max(outages) < BACK_SECONDS, outages


@pytest.mark.long  # a leader holds its lock for 20 s at the least
async def test_a_leader_that_was_cut_off_takes_no_write_when_it_is_back(
    cluster: PatroniCluster,
) -> None:
    await asyncio.to_thread(cluster.complete)
    old = await asyncio.to_thread(cluster.leader)
    async with traffic(cluster) as people:
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
    kept = await asyncio.to_thread(found, cluster)
    assert people.acknowledged <= kept
    assert mine not in kept


def _first(cluster: PatroniCluster, node: Node) -> str:
    """Return the cluster's URL with a node's host before the others."""
    hosts = [f"127.0.0.1:{other.port}" for other in cluster.nodes]
    mine = f"127.0.0.1:{node.port}"
    rest = ",".join(host for host in hosts if host != mine)
    return cluster.url("point").replace(",".join(hosts), f"{mine},{rest}")
