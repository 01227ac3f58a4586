"""The reference figures, through the gateway, on the demo data."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urljoin

import aiohttp
import asyncpg
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


async def test_nine_users_and_the_statistics_of_the_staff(get):
    status, body = await get(USERS)
    assert (status, body["success"], body["meta"]["total_count"]) == (200, True, 9)
    statistics = body["data"]["statistics"]
    assert {name: str(value) for name, value in statistics.items()} == {
        "high_age": "40", "low_age": "22", "avg_age": "31.22",
        "high_salary": "90000.00", "low_salary": "48000.00", "avg_salary": "68333.33",
        "count": "9",
    }  # fmt: skip


async def test_every_user_has_the_points_of_the_point_service(get):
    async def complete() -> bool:
        # On a busy machine a first answer may come without points: that is what is promised.
        _, body = await get(USERS, page_size="100")
        return not body["meta"].get("degraded")

    await eventually(complete, within=20)
    _, body = await get(USERS, page_size="100")
    points = {user["name"].split()[0]: user["points"] for user in body["data"]["users"]}
    assert points == {
        "Alice": 23, "Bob": 43, "Charlie": 28, "Diana": 83, "Ethan": 13,
        "Fiona": 33, "George": 93, "Hannah": 13, "Ian": 73,
    }  # fmt: skip


async def test_descending_by_name_begins_with_ian_malcolm(get):
    _, body = await get(USERS, order_by="name", sort="desc")
    assert body["data"]["users"][0]["name"] == "Ian Malcolm"


async def test_the_second_page_of_five_has_four_users_and_the_count_of_all(get):
    _, body = await get(USERS, page="2", page_size="5")
    assert len(body["data"]["users"]) == 4
    assert body["data"]["statistics"]["count"] == 9
    assert (
        body["meta"] | {"page": 2, "page_size": 5, "total_count": 9, "total_pages": 2}
        == (body["meta"])
    )


async def test_sql_in_order_by_is_a_400_that_never_reaches_the_database(stack, get):
    before = await statements(stack)
    began = time.monotonic()
    status, body = await get(USERS, order_by="name;select pg_sleep(5)")
    assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert body["error"]["details"][0]["field"] == "order_by"
    assert time.monotonic() - began < 2
    assert "pg_sleep" not in await statements(stack), before


async def statements(stack) -> str:
    """Return the last statement of every session in the user database."""
    secret = (stack.secrets / "postgres").read_text()
    connection = await asyncpg.connect(
        host="127.0.0.1", port=stack.port("POSTGRES_PORT"), user="postgres", password=secret
    )
    try:
        rows = await connection.fetch("SELECT query FROM pg_stat_activity WHERE datname = 'user'")
    finally:
        await connection.close()
    return "\n".join(row["query"] for row in rows)


async def test_the_three_departments(get):
    _, body = await get("/api/departments/v1/departments")
    names = {department["name"] for department in body["data"]}
    assert {"Human Resources", "Finance", "IT Support"} <= names


async def test_a_request_id_is_found_in_the_logs_of_gateway_and_service(stack):
    async with (
        aiohttp.ClientSession(stack.url, headers=stack.authorized()) as session,
        session.get(USERS, headers={"X-Request-ID": "trace-me-0815"}) as answer,
    ):
        assert answer.headers.getall("X-Request-ID") == ["trace-me-0815"]
    async with asyncio.timeout(5):
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
