"""An order of goods through the gateway, from the shelf to the points it earns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from redis.asyncio import Redis

from devstack.settings import service_names
from devstack.testing.wait import eventually
from tests.e2e.people import Person, somebody

HAMMER = "01890000-0000-7000-8000-000000000a02"


@pytest.fixture
async def http(stack):
    async with aiohttp.ClientSession(stack.url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def olga(stack, http) -> Person:
    """A customer of her own: what she earns changes nobody's reference figures."""
    olga = somebody(http, "Olga")
    await olga.joins("customer", Path(stack.environ["RUN_DIR"]) / "mail")
    return olga


@pytest.fixture
def ask(stack, http):
    async def ask(method: str, path: str, **options):
        headers = {**stack.authorized(), **options.pop("headers", {})}
        async with http.request(method, f"/api/{path}", headers=headers, **options) as answer:
            return answer.status, await answer.json() if await answer.read() else None

    return ask


async def test_an_order_is_placed_delivered_and_thanked_for(ask, olga) -> None:
    async def points() -> int:
        return (await olga.points())[0]

    async def stock() -> int:
        return (await ask("GET", f"products/v1/products/{HAMMER}"))[1]["data"]["stock"]

    had, left = await points(), await stock()
    wanted = {"user_id": olga.id, "lines": [{"product_id": HAMMER, "quantity": 3}]}
    status, body = await ask(
        "POST", "orders/v1/orders", json=wanted, headers={"Idempotency-Key": str(uuid4())}
    )
    assert status == 201, body
    order = body["data"]
    assert (order["total"], order["currency"]) == ("59.70", "EUR")
    assert order["user"]["email"].startswith("olga")
    assert await stock() == left - 3
    for step in ("confirmed", "shipped", "delivered"):
        status, body = await ask(
            "PATCH",
            f"orders/v1/orders/{order['id']}",
            json={"status": step},
            headers={"If-Match": "*"},
        )
        assert (status, body["data"]["status"]) == (200, step)

    async def thanked() -> bool:
        return await points() == had + 5

    await eventually(thanked, within=20)


async def test_a_cancelled_order_gives_back_what_it_held(ask, olga) -> None:
    async def stock() -> int:
        return (await ask("GET", f"products/v1/products/{HAMMER}"))[1]["data"]["stock"]

    left = await stock()
    wanted = {"user_id": olga.id, "lines": [{"product_id": HAMMER, "quantity": 2}]}
    _, body = await ask("POST", "orders/v1/orders", json=wanted)
    path = f"orders/v1/orders/{body['data']['id']}"
    status, body = await ask(
        "PATCH", path, json={"status": "cancelled"}, headers={"If-Match": '"1"'}
    )
    assert (status, body["data"]["status"]) == (200, "cancelled")

    async def returned() -> bool:
        return await stock() == left

    await eventually(returned)


async def test_redis_has_refused_no_service_anything(ask, olga, stack) -> None:
    """Each has a user of its own here as in containers, with the keys that the code declares."""
    await ask("GET", "catalogs/v1/services")
    password = (stack.secrets / "redis").read_text()
    async with Redis(port=stack.port("REDIS_PORT"), password=password) as operator:
        refused = [dict(entry) for entry in await operator.execute_command("ACL", "LOG")]
        # The library offers to be told of maintenance (CLIENT …), which no server here knows.
        assert [entry for entry in refused if entry[b"object"] != b"client"] == []
        clients = {client["user"] for client in await operator.client_list()}
    assert clients >= set(service_names())
    assert clients - set(service_names()) <= {"default"}


async def test_nobody_orders_without_a_token(http) -> None:
    answers = await asyncio.gather(
        *(http.request(method, "/api/orders/v1/orders", json={}) for method in ("GET", "POST"))
    )
    assert [answer.status for answer in answers] == [401, 401]
    for answer in answers:
        answer.release()
