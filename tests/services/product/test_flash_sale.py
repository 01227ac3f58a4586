"""Ten buyers for each item, and a killed service: exactly the available items are sold."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter

import aiohttp
import pytest

from devstack.embedded.ports import free_port
from devstack.testing.roles import as_service
from devstack.testing.wait import eventually
from lib.auth import Role
from tests.conftest import Full
from tests.services.product.conftest import rows_of

WITHIN = 120.0


class Service:
    """`python -m services.product` in its own process."""

    def __init__(self, database_url: str, jwks_url: str) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._environ = {
            **os.environ,
            "PRODUCT_DATABASE_URL": as_service(database_url),
            "PRODUCT_PORT": str(port),
            "AUTH_JWKS_URL": jwks_url,
            "RATE_LIMIT": "1000000",
            "RATE_LIMIT_BURST": "1000000",
            "USER_RATE_LIMIT": "1000000",
            "LOG_LEVEL": "error",
        }
        self._environ.pop("REDIS_URL", None)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        command = [sys.executable, "-m", "services.product"]
        self._process = subprocess.Popen(command, env=self._environ)
        await eventually(self._is_ready)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def _is_ready(self) -> bool:
        try:
            async with aiohttp.ClientSession(self.url) as http, http.get("/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


@pytest.fixture
async def database_url(new_engine_database) -> str:
    return await new_engine_database("product")


@pytest.fixture
async def service(database_url, issuer):
    running = Service(database_url, issuer.url)
    try:
        await running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture
async def http(service):
    # Each buyer has a connection, and gives up waiting for a service that was killed.
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=15)
    async with aiohttp.ClientSession(
        service.url, connector=connector, timeout=timeout, raise_for_status=False
    ) as session:
        yield session


async def post(http, path: str, headers: dict[str, str], body=None) -> tuple[int, dict]:
    """Send the request until there is a response, as a client without a response must."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                async with http.post(f"/api/v1/{path}", json=body, headers=headers) as answer:
                    if answer.status < 500:
                        return answer.status, await answer.json()
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(random.uniform(0.05, 0.3))


async def buy(http, auth: dict[str, str], product: str, number: int, outcomes: Counter) -> None:
    body = {"lines": [{"product_id": product, "quantity": 1}], "ttl_seconds": 3600}
    status, answer = await post(
        http, "reservations", {**auth, "Idempotency-Key": f"buyer-{number}"}, body
    )
    if status == 201:
        path = f"reservations/{answer['data']['id']}/confirm"
        status, _ = await post(http, path, auth)
    outcomes[status] += 1


async def test_exactly_what_there_is_is_sold_whatever_happens_to_the_service(
    service, http, issuer, database_url, full: Full
) -> None:
    items, kills = full(100, sample=30), full(3, sample=1)
    buyers = 10 * items
    clerk = issuer.authorized(subject="clerk", role=Role.STAFF)
    shop = issuer.authorized("service:reservations", subject="shop", role=Role.SERVICE)
    new = {"name": "Console", "price": "499", "currency": "EUR", "stock": items}
    status, made = await post(http, "products", clerk, new)
    assert status == 201
    product, outcomes = made["data"]["id"], Counter()

    async with asyncio.TaskGroup() as group:
        for number in range(buyers):
            group.create_task(buy(http, shop, product, number, outcomes))
        for kill in range(1, kills + 1):
            await eventually(lambda goal=kill: sum(outcomes.values()) >= goal * 20, within=60)
            service.kill()
            await service.start()

    assert outcomes == {200: items, 409: buyers - items}
    statuses = await rows_of(
        database_url, "SELECT status, count(*) FROM reservation GROUP BY status"
    )
    moves = await rows_of(
        database_url, "SELECT delta, stock_after FROM stock_movement ORDER BY product_version"
    )
    events = await rows_of(database_url, "SELECT kind, count(*) FROM outbox GROUP BY kind")
    assert dict(statuses) == {"confirmed": items}
    assert await rows_of(database_url, "SELECT stock FROM product") == [(0,)]
    assert moves == [(items, items)] + [(-1, items - 1 - n) for n in range(items)]
    assert dict(events) == {
        "product.created": 1,
        "reservation.made": items,
        "reservation.confirmed": items,
    }
