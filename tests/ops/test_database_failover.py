"""The services on PostgreSQL under Patroni: leaders die during orders, points and chat."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg
import pytest

from devstack.embedded.ports import free_port
from devstack.settings import ROOT, Settings
from devstack.supervisor import spawn
from devstack.testing import patroni
from devstack.testing.auth import TestIssuer
from devstack.testing.patroni import PatroniCluster
from devstack.testing.wait import eventually
from lib.auth import Role, SigningKey
from lib.db import migrations
from tests.conftest import Full
from tests.lib.db.earning import WRONG, opened
from tests.ops.replicas import Replica, settings
from tests.services.chat.replicas import Mover
from tests.services.chat.talking import CUSTOMER, PROVIDER, open_between

# `user` first: the others ask it for the keys of tokens.
SERVICES = ("user", "point", "product", "order", "chat")
# Each earns 2,000 points a day at most, one for an order.
BUYERS = [f"01890000-0000-7000-8000-{number:012}" for number in range(1, 10)]
ALICE = BUYERS[0]
HAMMER = "01890000-0000-7000-8000-000000000a02"
STOCK = 100_000
PUBLIC_URL = "http://127.0.0.1:1"  # nobody is there: only tokens name it
# As long as a leader holds its lock: who waits for that was not told of its death.
BACK_SECONDS = 20.0
PAUSE = 0.05
# Of a shopper between two orders, so that in ten minutes nobody has earned all of it.
REST = 0.1
# What follows the outages, thousands of events among it, may take so long on a busy machine.
BUSY_SECONDS = 600.0
AWAY = (aiohttp.ClientError, OSError, TimeoutError)

pytestmark = pytest.mark.long  # a short sample is in tests/lib/db/test_failover.py


@pytest.fixture
def cluster() -> Iterator[PatroniCluster]:
    with patroni.running() as started:
        leader = started.leader()
        with psycopg.connect(started.url_of(leader, "postgres"), autocommit=True) as connection:
            for db in SERVICES:
                connection.execute(f'CREATE DATABASE "{db}"'.encode())
        for db in SERVICES:
            url = started.url_of(leader, db)
            folder = migrations.source(ROOT / "migrations", db, url)
            migrations.apply(url, folder, db=db, demo=True)
        yield started


@dataclass
class Platform:
    """The addresses of the services, and a token with all needed permissions."""

    urls: dict[str, str]
    issuer: TestIssuer

    @property
    def admin(self) -> dict[str, str]:
        may = ("orders:manage", "products:write", "users:read")
        return self.issuer.authorized(*may, subject=ALICE, role=Role.ADMIN)


@pytest.fixture
async def platform(cluster, run_dir, redis_url) -> AsyncIterator[Platform]:
    found: Settings = settings(run_dir, redis_url, PUBLIC_URL, str(free_port()))
    services = {s.name: s for s in found.services if s.name in SERVICES}
    # Not forked: who forks adopts orphans, and Patroni waits until its servers are reaped.
    replicas = [Replica(services[name], found, cluster.url(name), {}, spawn) for name in SERVICES]
    try:
        await asyncio.gather(*(replica.start() for replica in replicas))
        key = SigningKey.from_pem(found.home.secret("user_signing_keys"))
        urls = {name: f"http://127.0.0.1:{service.port}" for name, service in services.items()}
        yield Platform(urls, TestIssuer(key, name=PUBLIC_URL))
    finally:
        await asyncio.gather(*(replica.stop() for replica in replicas))


@dataclass
class Gap:
    """The time during which nothing was acknowledged."""

    longest: float = 0.0
    last: float = field(default_factory=time.monotonic)

    def acknowledged(self) -> None:
        now = time.monotonic()
        self.longest, self.last = max(self.longest, now - self.last), now

    async def ends(self) -> None:
        before = self.last
        await eventually(lambda: self.last > before, within=BUSY_SECONDS)


@dataclass
class Shoppers:
    """People who order, let the order be shipped and get points.

    Each step repeats until acknowledged.
    """

    http: aiohttp.ClientSession
    gap: Gap = field(default_factory=Gap)
    ordered: set[str] = field(default_factory=set)
    delivered: set[str] = field(default_factory=set)
    enough: bool = False
    buyers: Iterator[str] = field(default_factory=partial(cycle, BUYERS))

    async def shop(self) -> None:
        while not self.enough:
            order = await self._place()
            self.ordered.add(order)
            for status in ("confirmed", "shipped", "delivered"):
                await self._move(order, status)
            self.delivered.add(order)
            await asyncio.sleep(REST)

    async def _place(self) -> str:
        wanted = {"user_id": next(self.buyers), "lines": [{"product_id": HAMMER, "quantity": 1}]}
        key = str(uuid4())
        while True:
            with suppress(*AWAY):
                async with self.http.post(
                    "/api/v1/orders", json=wanted, headers={"Idempotency-Key": key}
                ) as answer:
                    body = await answer.json()
                    if answer.status == 201:
                        self.gap.acknowledged()
                        return str(body["data"]["id"])
                    assert answer.status in (409, 500, 503, 504), body
                    if "given up" in body["error"]["message"]:
                        key = str(uuid4())
            await asyncio.sleep(PAUSE)

    async def _move(self, order: str, status: str) -> None:
        path = f"/api/v1/orders/{order}"
        while True:
            with suppress(*AWAY):
                then = {"json": {"status": status}, "headers": {"If-Match": "*"}}
                async with self.http.patch(path, **then) as answer:
                    if answer.status == 200:
                        return
                    assert answer.status in (409, 500, 503, 504), await answer.text()
                async with self.http.get(path) as answer:
                    # It had been done before the answer was lost.
                    if answer.status == 200 and (await answer.json())["data"]["status"] == status:
                        return
            await asyncio.sleep(PAUSE)


async def _converse(movers: list[Mover], channel: str, gap: Gap, shoppers: Shoppers) -> None:
    number = acked = 0
    while not shoppers.enough:
        for who, mover in enumerate(movers):
            await mover.send(channel, f"{who}-{number}", f"text {number}")
        number += 1
        await asyncio.sleep(0.2)
        if acked != (acked := sum(len(mover.acked) for mover in movers)):
            gap.acknowledged()


@pytest.mark.timeout(3600)
async def test_leaders_are_killed_under_the_services_and_nothing_is_lost_or_done_twice(
    cluster: PatroniCluster, platform: Platform, full: Full
) -> None:
    async with opened(cluster.url("chat")) as db:
        channel = await open_between(db)
    movers = [
        Mover(
            [platform.urls["chat"]],
            platform.issuer.authorized(subject=who, role=Role.CUSTOMER),
            [channel],
        )
        for who in (CUSTOMER, PROVIDER)
    ]
    limit = aiohttp.ClientTimeout(total=5)
    outages: list[tuple[float, float]] = []
    async with (
        aiohttp.ClientSession(platform.urls["product"], headers=platform.admin) as products,
        aiohttp.ClientSession(
            platform.urls["order"], headers=platform.admin, timeout=limit
        ) as orders,
    ):
        change = {"json": {"stock": STOCK}, "headers": {"If-Match": "*"}}
        async with products.patch(f"/api/v1/products/{HAMMER}", **change) as answer:
            assert answer.status == 200, await answer.text()
        shoppers, talk = Shoppers(orders), Gap()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(shoppers.shop())
            group.create_task(_converse(movers, channel, talk, shoppers))
            await shoppers.gap.ends()
            for _ in range(full(10, sample=1)):
                await asyncio.to_thread(cluster.complete)
                leader = await asyncio.to_thread(cluster.leader)
                shoppers.gap.longest = talk.longest = 0.0
                leader.kill()
                await asyncio.to_thread(cluster.leader, but=leader)
                await asyncio.gather(shoppers.gap.ends(), talk.ends())
                outages.append((shoppers.gap.longest, talk.longest))
            shoppers.enough = True
        await eventually(lambda: all(mover.settled() for mover in movers), within=BUSY_SECONDS)
    said = {*movers[0].acked, *movers[1].acked}
    heard = [partial(mover.sequences, channel) for mover in movers]
    await eventually(lambda: all(len(of()) >= len(said) for of in heard), within=BUSY_SECONDS)
    for mover in movers:
        await mover.stop()
    print(
        f"{len(shoppers.ordered)} orders, {len(said)} messages; longest without an answer: "
        f"{max(one for one, _ in outages):.1f} s, {max(one for _, one in outages):.1f} s"
    )
    assert [of() for of in heard] == [[*range(1, len(said) + 1)]] * 2
    assert sorted(_made(cluster)) == sorted(shoppers.delivered)
    # Events and what crashed requests held follow when everybody is back.
    await eventually(lambda: _thanked(cluster) == sorted(shoppers.delivered), within=BUSY_SECONDS)
    await eventually(lambda: _sold(cluster) == len(shoppers.delivered), within=BUSY_SECONDS)
    assert _rows(cluster, "point", WRONG) == [(0,)]
    # Of most: now and then a busy machine keeps an election waiting.
    assert statistics.median(max(both) for both in outages) < BACK_SECONDS, outages


def _made(cluster: PatroniCluster) -> list[str]:
    """Return the orders that our requests have created."""
    rows = _rows(cluster, "order", "SELECT id FROM goods_order WHERE request_key IS NOT NULL")
    return [str(order) for (order,) in rows]


def _thanked(cluster: PatroniCluster) -> list[str]:
    """Return the order of each entry of points."""
    rows = _rows(cluster, "point", "SELECT reason FROM point_entry WHERE reason LIKE 'order %-%'")
    return sorted(str(reason).split()[1] for (reason,) in rows)


def _sold(cluster: PatroniCluster) -> int:
    ((stock,),) = _rows(cluster, "product", f"SELECT stock FROM product WHERE id = '{HAMMER}'")
    return STOCK - stock


def _rows(cluster: PatroniCluster, db: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(cluster.url_of(cluster.leader(), db)) as connection:
        return connection.execute(query.encode()).fetchall()
