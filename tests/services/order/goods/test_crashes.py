"""The order service is killed at each step: stock, orders and points agree afterwards.

The product and point services have their own processes, and so has the killed service.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import aiohttp
import pytest
from _pytest.mark.structures import ParameterSet
from redis.asyncio import Redis

from devstack.embedded.ports import free_port
from devstack.testing.auth import TestIssuer
from devstack.testing.roles import as_service
from devstack.testing.wait import eventually
from lib.auth import Role
from lib.events.event import dead_letters_of
from tests.services.calling import by_hand
from tests.services.order.goods.conftest import Shelf
from tests.services.order.goods.fakes import ALICE

ROOT = Path.cwd()
STAFF = "01890000-0000-7000-8000-00000000f301"
WHEN = ("before", "after")


def points(*steps: str, sample: str) -> list[ParameterSet]:
    """Points before and after each of these steps; a short run uses only some of them."""
    found = [f"{step}:{when}" for step in steps for when in WHEN]
    assert set(sample.split()) < set(found)
    return [
        pytest.param(p, id=p, marks=() if p in sample.split() else pytest.mark.long) for p in found
    ]


PLACING = points(
    "draft", "reserve", "lines", "become", "confirm", "sold",
    sample="draft:before reserve:after become:before",
)  # fmt: skip
# What is not committed when the process dies has not happened.
NOTHING_YET = {"draft:before"}
CANCELLING = points("cancel", "release", "returned", sample="cancel:after release:after")
NOT_CANCELLED = {"cancel:before", "cancel:after"}  # both inside the transaction
DELIVERING = points("move", "send", sample="move:after send:before")


class Crashing:
    """The order service, forked by a process that a test tells where to die."""

    def __init__(self, process: subprocess.Popen[bytes], settings: dict) -> None:
        self._process = process
        self._settings = settings
        self._is_there = False
        self.url = ""

    async def start(self, crash_at: str = "") -> None:
        self._send(json.dumps({"settings": self._settings, "crash_at": crash_at}))
        self._is_there = True
        said = await self._hear()
        assert said.startswith("ready"), said
        self.url = f"http://127.0.0.1:{said.split()[1]}"

    async def stop(self) -> None:
        if self._is_there:
            self._send("")
            assert await self._hear() == "ended -9"
            self._is_there = False

    async def died(self) -> None:
        assert await self._hear() == "ended -9"
        self._is_there = False
        self._send("")

    async def request(self, headers: dict, method: str, path: str, **options) -> tuple[int, dict]:
        async with aiohttp.request(
            method, f"{self.url}/api/v1/{path}", headers=headers, **options
        ) as answer:
            return answer.status, await answer.json()

    def _send(self, line: str) -> None:
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    async def _hear(self) -> str:
        """Return the next line that is not a log line."""
        while True:
            line = (await asyncio.to_thread(self._process.stdout.readline)).decode()
            assert line, "the process is gone"
            if line.startswith(("ready", "ended")):
                return line.strip()


@contextmanager
def service(name: str, **environ: str) -> Iterator[str]:
    """Run a service as in production; yield its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", f"services.{name}"],
        cwd=ROOT,
        env=os.environ | {"LOG_LEVEL": "error", f"{name.upper()}_PORT": str(port)} | environ,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def ready(url: str) -> bool:
    try:
        return await asyncio.to_thread(lambda: urlopen(f"{url}/readyz").status) == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def databases(postgres_server) -> Iterator[dict[str, str]]:
    urls = {name: postgres_server.create(name) for name in ("product", "point", "order")}
    yield urls
    for url in urls.values():
        postgres_server.drop(url)


@pytest.fixture(scope="module")
def crash_redis_url(redis_server) -> str:
    return f"{redis_server.url.rpartition('/')[0]}/10"


@pytest.fixture(scope="module")
def peers(databases, crash_redis_url, issuer: TestIssuer) -> Iterator[dict[str, str]]:
    """Both services that an order needs, as processes."""
    common = {"AUTH_JWKS_URL": issuer.url, "RATE_LIMIT_BURST": "100000"}
    with (
        service(
            "product", PRODUCT_DATABASE_URL=as_service(databases["product"]), **common
        ) as product,
        service(
            "point",
            POINT_DATABASE_URL=as_service(databases["point"]),
            POINT_GRPC_PORT="0",
            REDIS_URL=crash_redis_url,
            **common,
        ) as point,
    ):
        yield {"product": product, "point": point}


@pytest.fixture(scope="module")
def forking() -> Iterator[subprocess.Popen[bytes]]:
    """The process from which the killed service is forked; it imports only once."""
    command = [sys.executable, "-m", "tests.services.order.goods.crashing"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        process.stdin.close()
        process.wait(20)


@pytest.fixture
async def world(
    databases, peers, users, issuer: TestIssuer, crash_redis_url, forking
) -> AsyncIterator[World]:
    for url in peers.values():
        await eventually(lambda url=url: ready(url), within=60)
    settings = {
        "database_url": as_service(databases["order"]),
        "redis_url": crash_redis_url,
        "auth_jwks_url": issuer.url,
        "user_url": users.url,
        "product_url": peers["product"],
        "auth_token_url": f"{users.url}/api/v1/auth/token",
        "auth_client_id": "order",
        "recovery_seconds": 0.05,
        # Longer than a stall: what is being placed is not for the recovery. See `leases_over`.
        "lease_seconds": 60,
        "db_pool_min": 1,
        "log_level": "error",
        "drain_seconds": 1,
    }
    service = Crashing(forking, settings)
    async with (
        by_hand(databases["order"]) as orders,
        by_hand(databases["product"]) as products,
        by_hand(databases["point"]) as points,
    ):
        customer = issuer.authorized(subject=ALICE, role=Role.CUSTOMER)
        staff = issuer.authorized(subject=STAFF, role=Role.STAFF) | {"If-Match": "*"}
        shelf = Shelf(products)
        yield World(service, orders, shelf, points, customer, staff)
        await service.stop()


class World:
    """The data that a crash test checks."""

    def __init__(self, service: Crashing, orders, shelf: Shelf, points, customer, staff) -> None:
        self.service, self.shelf = service, shelf
        self.orders, self.points = orders, points
        self.customer, self.staff = customer, staff

    async def place(self, item: str, key: str) -> tuple[int, dict]:
        body = {"lines": [{"product_id": item, "quantity": 2}]}
        headers = self.customer | {"Idempotency-Key": key}
        return await self.service.request(headers, "POST", "orders", json=body)

    async def move(self, order_id: str, *statuses: str) -> int:
        code = 0
        for status in statuses:
            path = f"orders/{order_id}"
            code, _ = await self.service.request(self.staff, "PATCH", path, json={"status": status})
        return code

    async def orders_of(self, item: str) -> list[tuple[str, str, str]]:
        """Return the ID, the status and the stock of each order of the item."""
        rows = await self.orders.fetch(
            "SELECT o.id::text, o.status::text, o.stock::text FROM goods_order AS o"
            " JOIN goods_order_line AS l ON l.order_id = o.id WHERE l.product_id = $1",
            item,
        )
        return [tuple(row) for row in rows]

    async def leases_over(self) -> None:
        """Let the leases expire, so that the work of ended processes can continue."""
        await self.orders.execute("UPDATE idempotency_key SET leased_until = now()")
        await self.orders.execute("UPDATE goods_draft SET due_at = now()")
        await self.orders.execute("UPDATE goods_order SET due_at = now() WHERE due_at IS NOT NULL")

    async def agree(self, item: str) -> bool:
        """Return whether no work is left and shelf and orders add up to ten."""
        await self.leases_over()
        unfinished = await self.orders.fetchval(
            "SELECT (SELECT count(*) FROM goods_draft)"
            " + (SELECT count(*) FROM goods_order WHERE due_at IS NOT NULL)"
        )
        found = await self.orders_of(item)
        live = [order for order in found if order[1] != "cancelled"]
        rows = await self.shelf.db.fetch(
            "SELECT r.status::text FROM reservation AS r JOIN reservation_line AS l"
            " ON l.reservation_id = r.id WHERE l.product_id = $1",
            item,
        )
        held = Counter(next(iter(row)) for row in rows)
        # A repetition that comes while the recovery makes the order of a draft may have reserved
        # for a second time. It is told to try again, and its reservation is given back.
        given_back = held.total() - len(live)
        return (
            unfinished == 0
            and await self.shelf.stock(item) == 10 - 2 * len(live)
            and held == Counter(confirmed=len(live), released=given_back)
            and given_back >= len(found) - len(live)
            and all(o[2] == ("returned" if o[1] == "cancelled" else "sold") for o in found)
        )


@pytest.mark.parametrize("again", [True, False], ids=["sent again", "not sent again"])
@pytest.mark.parametrize("point", PLACING)
async def test_killed_while_an_order_is_placed_it_is_placed_once_or_not_at_all(
    world: World, point, again
) -> None:
    item = await world.shelf.add(price="25.00", stock=10)
    await world.service.start(point)
    with pytest.raises(aiohttp.ClientError):
        await world.place(item, f"{point}-{again}")
    await world.service.died()
    await world.service.start()
    if again:
        await world.leases_over()
        async with asyncio.timeout(60):
            status, said = await world.place(item, f"{point}-{again}")
            # The recovery may have it in hand at this moment: the caller is told to try again.
            while status == 409:
                await asyncio.sleep(0.05)
                await world.orders.execute("DELETE FROM idempotency_key")
                await world.leases_over()
                status, said = await world.place(item, f"{point}-{again}")
        assert status == 201, said
    await eventually(lambda: world.agree(item), within=60)
    found = await world.orders_of(item)
    assert len(found) == (1 if again or point not in NOTHING_YET else 0)
    assert all(status == "pending" for _, status, _ in found)
    if again:
        assert [order_id for order_id, _, _ in found] == [said["data"]["id"]]
    await world.service.stop()


@pytest.mark.parametrize("point", CANCELLING)
async def test_killed_while_an_order_is_cancelled_its_stock_is_back_if_it_is(
    world: World, point
) -> None:
    item = await world.shelf.add(stock=10)
    await world.service.start(point)
    _, said = await world.place(item, f"to-cancel-{point}")
    order_id = said["data"]["id"]
    with pytest.raises(aiohttp.ClientError):
        await world.move(order_id, "cancelled")
    await world.service.died()
    await world.service.start()
    await eventually(lambda: world.agree(item), within=60)
    expected = ("pending", "sold") if point in NOT_CANCELLED else ("cancelled", "returned")
    assert await world.orders_of(item) == [(order_id, *expected)]
    await world.service.stop()


@pytest.mark.parametrize("point", DELIVERING)
async def test_killed_while_an_order_is_delivered_its_points_are_awarded_once(
    world: World, point
) -> None:
    item = await world.shelf.add(price="25.00", stock=10)
    await world.service.start()
    _, said = await world.place(item, f"to-deliver-{point}")
    order_id = said["data"]["id"]
    assert await world.move(order_id, "confirmed", "shipped") == 200
    await eventually(lambda: _nothing_to_tell(world), within=60)
    await world.service.stop()
    await world.service.start(point)
    try:
        await world.move(order_id, "delivered")
    except aiohttp.ClientError:
        assert point.startswith("move")
    await world.service.died()
    await world.service.start()
    if point.startswith("move"):
        assert await world.move(order_id, "delivered") == 200
    assert await world.move(order_id, "delivered") == 409
    source = f"order:{order_id}:customer"

    async def awarded() -> bool:
        return await world.points.fetchval(
            "SELECT EXISTS (SELECT FROM point_entry WHERE source = $1)", source
        )

    await eventually(awarded, within=60)
    await eventually(lambda: _nothing_to_tell(world), within=60)
    amounts = await world.points.fetch(
        "SELECT amount FROM point_entry WHERE reason = $1", f"order {order_id} delivered"
    )
    assert [tuple(row) for row in amounts] == [(5,)]
    await eventually(lambda: world.agree(item), within=60)
    await world.service.stop()


async def _nothing_to_tell(world: World) -> bool:
    return await world.orders.fetchval("SELECT count(*) FROM outbox") == 0


@pytest.mark.usefixtures("full")  # it belongs to both runs
async def test_after_all_that_the_balance_is_the_sum_of_the_delivered_orders(
    world: World, crash_redis_url
) -> None:
    """The final check of all tests above, whichever ran."""
    spent = await world.orders.fetchval(
        "SELECT coalesce(sum(floor(total / 10)), 0) FROM goods_order WHERE status = 'delivered'"
    )
    entries = await world.points.fetchval("SELECT coalesce(sum(amount), 0) FROM point_entry")
    balances = await world.points.fetchval("SELECT coalesce(sum(balance), 0) FROM point_balance")
    assert spent == entries == balances
    async with Redis.from_url(crash_redis_url) as redis:
        assert await redis.exists(dead_letters_of("orders")) == 0
