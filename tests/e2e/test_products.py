"""Products through the gateway: everybody reads, nobody writes without a token."""

from __future__ import annotations

import aiohttp
import pytest


@pytest.fixture
async def http(stack):
    async with aiohttp.ClientSession(stack.url) as session:
        yield session


async def test_the_demo_products_are_for_sale(http) -> None:
    async with http.get("/api/products/v1/products?order_by=price") as answer:
        body = await answer.json()
    assert answer.status == 200
    assert body["meta"]["total_count"] == 7
    assert (body["data"][0]["name"], body["data"][0]["price"]) == ("Paint roller set", "14.50")
    path = f"/api/products/v1/products/{body['data'][0]['id']}"
    async with http.get(path) as answer:
        assert (answer.status, answer.headers["ETag"]) == (200, '"1"')


@pytest.mark.parametrize(
    ("path", "expected"),
    [("products", (401, "UNAUTHORIZED")), ("reservations", (404, "NOT_FOUND"))],
)
async def test_nobody_writes_without_a_token(http, path, expected) -> None:
    async with http.post(f"/api/products/v1/{path}", json={}) as answer:
        body = await answer.json()
    assert (answer.status, body["error"]["code"]) == expected
