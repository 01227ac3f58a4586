"""The reference figures on the demo data, through the gateway."""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

import aiohttp
import pytest

from devstack.testing.wait import eventually

USERS = "/api/users/v1/users"


@pytest.fixture
async def get(stack):
    async with aiohttp.ClientSession(stack.url, headers=stack.authorized()) as session:

        async def get(path: str, **params: str) -> tuple[int, dict]:
            async with session.get(path, params=params) as answer:
                return answer.status, await answer.json()

        yield get


async def test_every_user_has_the_points_of_the_point_service(get):
    async def complete() -> bool:
        # On a busy machine a first answer may come without points: that is what is promised.
        _, body = await get(USERS, page_size="100")
        return not body["meta"].get("degraded")

    await eventually(complete)
    _, body = await get(USERS, page_size="100")
    points = {user["name"].split()[0]: user["points"] for user in body["data"]["users"]}
    assert points == {
        "Alice": 23, "Bob": 43, "Charlie": 28, "Diana": 83, "Ethan": 13,
        "Fiona": 33, "George": 93, "Hannah": 13, "Ian": 73,
    }  # fmt: skip


async def test_a_request_id_is_found_in_the_logs_of_gateway_and_service(stack):
    async with (
        aiohttp.ClientSession(stack.url, headers=stack.authorized()) as session,
        session.get(USERS, headers={"X-Request-ID": "trace-me-0815"}) as answer,
    ):
        assert answer.headers.getall("X-Request-ID") == ["trace-me-0815"]
    async with asyncio.timeout(60):
        while not any("trace-me-0815" in line for line in stack.lines if "user" in line):
            await asyncio.sleep(0.02)


async def test_the_location_of_a_new_department_leads_there_through_the_gateway(stack):
    async with aiohttp.ClientSession(headers=stack.authorized()) as session:
        path = f"{stack.url}/api/departments/v1/departments"
        async with session.post(path, json={"name": "Gardening"}) as made:
            assert made.status == 201
        where = urljoin(path, made.headers["Location"])
        async with session.get(where) as found:
            assert (found.status, (await found.json())["data"]["name"]) == (200, "Gardening")
        async with session.delete(where, headers={"If-Match": found.headers["ETag"]}) as gone:
            assert gone.status == 204
