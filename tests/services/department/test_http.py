"""The department service over HTTP, on a real database of each engine."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from yarl import URL

from devstack.testing.wait import DEADLINE, eventually
from lib.http.app import DATABASE
from services.department.app import create_app
from services.department.config import DepartmentConfig

LIST = "/api/v1/departments"
FINANCE = f"{LIST}/01890000-0000-7000-8000-000000000d02"
NOBODY = f"{LIST}/01890000-0000-7000-8000-00000000dead"


@pytest.fixture
async def client(new_engine_database, issuer):
    url = await new_engine_database("department", demo=True)
    config = DepartmentConfig(database_url=SecretStr(url), db_pool_min=1, auth_jwks_url=issuer.url)
    staff = issuer.authorized("departments:write")
    async with TestClient(TestServer(create_app(config)), headers=staff) as client:
        yield client


async def test_each_change_is_told_with_who_made_it(new_engine_database, issuer) -> None:
    url = await new_engine_database("department")
    config = DepartmentConfig(database_url=SecretStr(url), db_pool_min=1, auth_jwks_url=issuer.url)
    staff = issuer.authorized("departments:write", subject="a-clerk")
    app = create_app(config)
    async with TestClient(TestServer(app), headers=staff) as client:
        added = await (await client.post(LIST, json={"name": "Law"})).json()
        path = f"{LIST}/{added['data']['id']}"
        assert (await client.patch(path, json={"address": "Pier 1"})).status == 200
        assert (await client.delete(path)).status == 204
        assert (await client.delete(path)).status == 404
        rows = await app[DATABASE].fetch(
            "SELECT topic, kind, payload FROM outbox ORDER BY position"
        )
    told = [(topic, kind, json.loads(payload)) for topic, kind, payload in rows]
    kinds = ["department.created", "department.changed", "department.removed"]
    assert [(topic, kind) for topic, kind, _ in told] == [("departments", kind) for kind in kinds]
    assert {(p["id"], p["actor"]) for _, _, p in told} == {(added["data"]["id"], "a-clerk")}


async def names(client: TestClient, query: str = "") -> list[str]:
    response = await client.get(f"{LIST}?{query}")
    assert response.status == 200, await response.text()
    return [row["name"] for row in (await response.json())["data"]]


async def code(response) -> str:
    return (await response.json())["error"]["code"]


async def test_the_list_is_ordered_paged_and_searched(client, subtests) -> None:
    for query, expected in [
        ("", ["Finance", "Human Resources", "IT Support"]),
        ("sort=desc", ["IT Support", "Human Resources", "Finance"]),
        ("order_by=created_at", ["Human Resources", "Finance", "IT Support"]),
        ("order_by=created_at&sort=desc", ["IT Support", "Finance", "Human Resources"]),
        ("page_size=2", ["Finance", "Human Resources"]),
        ("page_size=2&page=2", ["IT Support"]),
        ("page=9", []),
        ("search=harbour", ["Finance", "Human Resources"]),
        ("search=%25", []),
        ("search=_", []),
    ]:
        with subtests.test(query=query):
            assert await names(client, query) == expected


async def test_the_total_is_that_of_the_whole_list_on_every_page(client, subtests) -> None:
    for query, meta in [
        ("", {"page": 1, "page_size": 20, "total_count": 3, "total_pages": 1}),
        ("page_size=2", {"page": 1, "page_size": 2, "total_count": 3, "total_pages": 2}),
        ("page_size=2&page=2", {"page": 2, "page_size": 2, "total_count": 3, "total_pages": 2}),
        ("page=9", {"page": 9, "page_size": 20, "total_count": 3, "total_pages": 1}),
        ("search=mill", {"page": 1, "page_size": 20, "total_count": 1, "total_pages": 1}),
        ("search=none", {"page": 1, "page_size": 20, "total_count": 0, "total_pages": 0}),
    ]:
        with subtests.test(query=query):
            response = await client.get(f"{LIST}?{query}")
            assert (await response.json())["meta"] == meta


async def test_an_order_outside_the_whitelist_never_reaches_the_database(client) -> None:
    response = await client.get(LIST, params={"order_by": "name;select pg_sleep(5)"})
    assert response.status == 400
    assert await code(response) == "VALIDATION_ERROR"


async def test_a_new_department_is_returned_with_its_place_and_version(client) -> None:
    response = await client.post(LIST, json={"name": "  Legal ", "address": "2 Quay"})
    assert response.status == 201
    data = (await response.json())["data"]
    assert (data["name"], data["address"], data["version"]) == ("Legal", "2 Quay", 1)
    assert UUID(data["id"]).version == 7
    assert response.headers["ETag"] == '"1"'
    again = await client.get(response.url.join(URL(response.headers["Location"])).relative())
    assert (await again.json())["data"] == data


async def test_a_name_in_use_is_a_conflict_whatever_its_case(client) -> None:
    for method, path in (("POST", LIST), ("PATCH", FINANCE)):
        response = await client.request(method, path, json={"name": "it SUPPORT"})
        assert response.status == 409
        assert await code(response) == "CONFLICT"


async def test_a_change_leaves_the_rest_as_it_is_and_counts_the_version(client) -> None:
    response = await client.patch(FINANCE, json={"name": "Treasury"})
    data = (await response.json())["data"]
    assert (data["name"], data["address"], data["version"]) == (
        "Treasury", "1 Harbour Street, floor 5", 2,
    )  # fmt: skip
    assert response.headers["ETag"] == '"2"'
    response = await client.patch(FINANCE, json={"address": None})
    assert (await response.json())["data"]["address"] is None


async def test_a_stale_version_is_refused_and_the_present_one_is_accepted(client) -> None:
    etag = (await client.get(FINANCE)).headers["ETag"]
    for expected in (200, 412):
        response = await client.patch(FINANCE, json={"name": "T"}, headers={"If-Match": etag})
        assert response.status == expected
    for tag in ('"1"', 'W/"2"', "nonsense"):
        assert (await client.delete(FINANCE, headers={"If-Match": tag})).status == 412
    assert (await client.delete(FINANCE, headers={"If-Match": '"2"'})).status == 204
    assert (await client.get(FINANCE)).status == 404


async def test_of_two_changes_at_once_no_one_overwrites_the_other(client) -> None:
    responses = await asyncio.gather(
        *(client.patch(FINANCE, json={"address": f"room {n}"}) for n in range(8))
    )
    statuses = [response.status for response in responses]
    assert set(statuses) == {200}
    version = (await (await client.get(FINANCE)).json())["data"]["version"]
    assert version == 1 + len(statuses)


async def test_a_reader_who_has_the_version_gets_304(client) -> None:
    response = await client.get(FINANCE, headers={"If-None-Match": '"7", W/"1"'})
    assert (response.status, await response.read()) == (304, b"")


async def test_a_department_that_does_not_exist_is_not_found(client, subtests) -> None:
    for method in ["GET", "PATCH", "DELETE"]:
        with subtests.test(method=method):
            response = await client.request(method, NOBODY, json={} if method == "PATCH" else None)
            assert response.status == 404
            assert await code(response) == "NOT_FOUND"


async def test_an_invalid_department_is_refused(client, subtests) -> None:
    for body in [{"name": " "}, {"name": "x" * 256}, {"name": None}, {"nmae": "x"}]:
        with subtests.test(body=body):
            for method, path in (("POST", LIST), ("PATCH", FINANCE)):
                response = await client.request(method, path, json=body)
                assert response.status == 400
                assert await code(response) == "VALIDATION_ERROR"


async def test_after_the_database_was_killed_and_restarted_the_service_answers_again(
    killable_server,
) -> None:
    url = await asyncio.to_thread(killable_server.create, "department", demo=True)
    config = DepartmentConfig(database_url=SecretStr(url), db_pool_min=1)
    async with TestClient(TestServer(create_app(config))) as client:
        assert (await client.get(FINANCE)).status == 200
        killable_server.kill()
        async with asyncio.timeout(DEADLINE):
            response = await client.get(FINANCE)
            assert response.status == 503
            assert await code(response) == "SERVICE_UNAVAILABLE"
            ready = await client.get("/readyz")
            # A pooler waits for its server for a while.
            said = {"unavailable", "no response within 2 s"}
            assert (await ready.json())["checks"]["database"] in said
        await asyncio.to_thread(killable_server.start)

        async def answers() -> bool:
            return (await client.get(FINANCE)).status == 200

        await eventually(answers)
