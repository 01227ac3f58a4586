"""The staff list over HTTP, on a real database and the real point service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from devstack.testing.postgres import TestPostgres
from tests.conftest import NewDatabase
from tests.services.running import STAFF, running_point, running_user

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = [
    "Alice Johnson",
    "Bob Smith",
    "Charlie Brown",
    "Diana Prince",
    "Ethan Hunt",
    "Fiona Gallagher",
    "George Costanza",
    "Hannah Baker",
    "Ian Malcolm",
]
POINTS = [23, 43, 28, 83, 13, 33, 93, 13, 73]
FINANCE = "01890000-0000-7000-8000-000000000d02"
ALICE = "01890000-0000-7000-8000-000000000001"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def users(postgres_server: TestPostgres) -> AsyncIterator[str]:
    """One pair of services for all tests here, because they only read."""
    user = postgres_server.create("user", demo=True)
    point = postgres_server.create("point", demo=True)
    async with (
        running_point(point) as points,
        running_user(user, points.grpc_address, points_seconds=10) as base,
    ):
        yield f"{base}/api/v1/users"


async def get(url: str, expected: int = 200, **params: Any) -> Any:
    async with (
        aiohttp.ClientSession(headers=STAFF) as session,
        session.get(url, params=params) as response,
    ):
        assert response.status == expected, await response.text()
        return await response.json()


async def test_the_list_has_nine_people_with_points_and_the_reference_statistics(
    users: str,
) -> None:
    body = await get(users)
    assert body["success"] is True
    assert [user["name"] for user in body["data"]["users"]] == NAMES
    assert [user["points"] for user in body["data"]["users"]] == POINTS
    assert body["data"]["statistics"] == {
        "high_age": 40,
        "low_age": 22,
        "avg_age": "31.22",
        "high_salary": "90000.00",
        "low_salary": "48000.00",
        "avg_salary": "68333.33",
        "count": 9,
    }
    assert body["meta"] == {"page": 1, "page_size": 20, "total_count": 9, "total_pages": 1}
    first = body["data"]["users"][0]
    assert (first["id"], first["age"], first["salary"]) == (ALICE, 30, "60000.00")


@pytest.mark.parametrize(
    ("params", "names", "total"),
    [
        ({"sort": "desc"}, NAMES[::-1], 9),
        ({"page": 2, "page_size": 5}, NAMES[5:], 9),
        ({"page": 3, "page_size": 5}, [], 9),
        ({"order_by": "age", "page_size": 2}, ["Hannah Baker", "Fiona Gallagher"], 9),
        ({"order_by": "age", "sort": "desc", "page_size": 1}, ["George Costanza"], 9),
        ({"order_by": "salary", "page_size": 2}, ["Hannah Baker", "Fiona Gallagher"], 9),
        ({"order_by": "salary", "sort": "desc", "page_size": 1}, ["George Costanza"], 9),
        ({"order_by": "email", "sort": "desc", "page_size": 1}, ["Ian Malcolm"], 9),
        # Demo people were all created at once: the id decides.
        ({"order_by": "created_at", "page_size": 1}, ["Alice Johnson"], 9),
        ({"search": "an"}, [n for n in NAMES if "an" in n.lower()], 5),
        ({"search": "IAN.MALCOLM@"}, ["Ian Malcolm"], 1),
        ({"search": "%"}, [], 0),
        ({"search": "_"}, [], 0),
        ({"search": "\\"}, [], 0),
        ({"search": "'; drop table staff; --"}, [], 0),
        ({"department_id": FINANCE}, NAMES[3:6], 3),
        ({"department_id": FINANCE, "search": "hunt"}, ["Ethan Hunt"], 1),
        ({"department_id": FINANCE, "page": 2, "page_size": 2}, ["Fiona Gallagher"], 3),
    ],
    ids=str,
)
async def test_a_page_is_what_was_asked_for_with_the_right_total(
    users: str, params: dict[str, Any], names: list[str], total: int
) -> None:
    body = await get(users, **params)
    assert [user["name"] for user in body["data"]["users"]] == names
    assert body["meta"]["total_count"] == total
    assert body["data"]["statistics"]["count"] == 9


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"order_by": "name;select pg_sleep(5)"}, "order_by"),
        ({"order_by": "password"}, "order_by"),
        ({"sort": "up"}, "sort"),
        ({"page": 0}, "page"),
        ({"page": "x"}, "page"),
        ({"page_size": 101}, "page_size"),
        ({"department_id": "finance"}, "department_id"),
        ({"search": "x" * 101}, "search"),
    ],
    ids=str,
)
async def test_bad_input_is_a_400_that_names_the_field(
    users: str, params: dict[str, Any], field: str
) -> None:
    body = await get(users, 400, **params)
    assert body["error"]["code"] == "VALIDATION_ERROR"
    assert [detail["field"] for detail in body["error"]["details"]] == [field]


async def test_an_injection_never_reaches_the_database(new_database: NewDatabase) -> None:
    url = await new_database("user", demo=True)
    async with running_user(url, "127.0.0.1:1") as base:
        connection = await asyncpg.connect(url)
        try:
            # A lock on the table would hold back any query on it: the answer comes all the same.
            async with connection.transaction():
                await connection.execute("LOCK TABLE staff IN ACCESS EXCLUSIVE MODE")
                body = await get(f"{base}/api/v1/users", 400, order_by="name;select pg_sleep(5)")
        finally:
            await connection.close()
    assert body["error"]["code"] == "VALIDATION_ERROR"


async def test_an_empty_table_has_null_statistics_and_no_error(new_database: NewDatabase) -> None:
    async with running_user(await new_database("user"), "127.0.0.1:1") as base:
        body = await get(f"{base}/api/v1/users")
    statistics = body["data"]["statistics"]
    assert statistics.pop("count") == 0
    assert len(statistics) == 6
    assert set(statistics.values()) == {None}
    assert body["data"]["users"] == []
    assert body["meta"] == {"page": 1, "page_size": 20, "total_count": 0, "total_pages": 0}


async def test_one_person_has_an_etag_that_answers_304(users: str) -> None:
    async with aiohttp.ClientSession(headers=STAFF) as session:
        async with session.get(f"{users}/{ALICE}") as response:
            body = await response.json()
            tag = response.headers["ETag"]
        assert body["data"]["email"] == "alice.johnson@example.com"
        assert body["data"]["employment"]["salary"] == "60000.00"
        async with session.get(f"{users}/{ALICE}", headers={"If-None-Match": tag}) as response:
            assert response.status == 304


async def test_somebody_unknown_is_a_404_and_a_bad_id_a_400(users: str) -> None:
    missing = await get(f"{users}/{UUID(int=1)}", 404)
    assert missing["error"]["code"] == "NOT_FOUND"
    assert missing["error"]["message"] == "user not found"
    bad = await get(f"{users}/abc", 400)
    assert bad["error"]["details"] == [{"field": "id", "message": "is neither `me` nor a UUID"}]


async def test_readiness_names_database_and_point(users: str) -> None:
    body = await get(users.replace("/api/v1/users", "/readyz"))
    assert body["checks"] == {"database": "ok", "point": "ok"}


async def test_without_points_the_service_is_ready_all_the_same(new_database: NewDatabase) -> None:
    async with running_user(await new_database("user"), "127.0.0.1:1") as base:
        body = await get(f"{base}/readyz")
    assert body["checks"] == {"database": "ok", "point": "unavailable"}
