"""The catalogue through the gateway: everybody reads, the administrator writes, nobody waits."""

from __future__ import annotations

import aiohttp
import pytest

API = "/api/catalogs/v1"


@pytest.fixture
async def http(stack):
    async with aiohttp.ClientSession(stack.url) as session:
        yield session


async def ask(http, method: str, path: str, **options):
    async with http.request(method, f"{API}/{path}", **options) as answer:
        body = await answer.json() if await answer.read() else None
        return answer.status, body, answer.headers


async def test_one_can_walk_from_the_types_to_a_service(http) -> None:
    _, types, _ = await ask(http, "GET", "category-types?search=home")
    path = f"category-types/{types['data'][0]['id']}/categories"
    for name, below in (
        ("Plumbing", "categories/{}/subcategories"),
        ("Kitchen", "subcategories/{}/services"),
        ("Replace a kitchen tap", "services/{}/providers"),
    ):
        status, body, _ = await ask(http, "GET", path)
        assert status == 200
        path = below.format({row["name"]: row["id"] for row in body["data"]}[name])
    status, body, _ = await ask(http, "GET", path)
    # Who offers it is for whoever used the stack before to say.
    assert (status, len(body["data"])) == (200, body["meta"]["total_count"])


async def test_the_administrator_adds_renames_and_removes(stack, http) -> None:
    admin = stack.authorized()
    status, body, _ = await ask(http, "POST", "category-types", json={"name": "Events"})
    assert (status, body["error"]["code"]) == (401, "UNAUTHORIZED")
    status, body, headers = await ask(
        http, "POST", "category-types", json={"name": "Events"}, headers=admin
    )
    assert (status, headers["ETag"]) == (201, '"1"')
    one = f"category-types/{body['data']['id']}"
    for name in ("Weddings", "Festivities"):
        assert (await ask(http, "PATCH", one, json={"name": name}, headers=admin))[0] == 200
        _, body, headers = await ask(http, "GET", one)
        assert body["data"]["name"] == name
    seen = {"If-None-Match": headers["ETag"]}
    assert (await ask(http, "GET", one, headers=seen))[0] == 304
    assert (await ask(http, "DELETE", one, headers=admin))[0] == 204
    assert (await ask(http, "GET", one))[0] == 404
