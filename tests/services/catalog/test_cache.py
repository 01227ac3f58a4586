"""Cached responses of the catalogue: equal to the database except for the delay of events."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from devstack.testing.wait import DEADLINE, eventually
from lib.auth import Role
from services.catalog.app import create_app
from tests.services.calling import Caller
from tests.services.catalog.conftest import config_for

TYPE = "01890000-0000-7000-8000-00000000c101"
CATEGORY = "01890000-0000-7000-8000-00000000c201"
SUBCATEGORY = "01890000-0000-7000-8000-00000000c301"
SERVICE = "01890000-0000-7000-8000-00000000c402"
OFFERED = "providers/me/services"

# A change that is made past the cache, and every answer that it makes worthless.
CHANGES = [
    ("PATCH", f"category-types/{TYPE}", {"name": "House"}, [
        f"category-types/{TYPE}", "category-types",
    ]),
    ("PATCH", f"categories/{CATEGORY}", {"name": "Machines"}, [
        f"categories/{CATEGORY}", "categories", f"category-types/{TYPE}/categories",
    ]),
    ("PATCH", f"categories/{CATEGORY}", {"type_id": "01890000-0000-7000-8000-00000000c102"}, [
        f"category-types/{TYPE}/subcategories", f"subcategories?type_id={TYPE}",
    ]),
    ("PATCH", f"subcategories/{SUBCATEGORY}", {"name": "Laundry"}, [
        f"subcategories/{SUBCATEGORY}", "subcategories",
        f"categories/{CATEGORY}/subcategories", f"category-types/{TYPE}/subcategories",
    ]),
    ("PATCH", f"services/{SERVICE}", {"description": "New"}, [
        f"services/{SERVICE}", "services?sort=desc", f"subcategories/{SUBCATEGORY}/services",
        OFFERED, f"{OFFERED}/{SERVICE}",
    ]),
    ("POST", "categories", {"type_id": TYPE, "name": "Painting"}, [
        "categories?page_size=50", f"category-types/{TYPE}/categories",
    ]),
    ("DELETE", "services/01890000-0000-7000-8000-00000000c401", None, ["services"]),
    ("DELETE", f"{OFFERED}/{SERVICE}", None, [OFFERED, f"services/{SERVICE}/providers"]),
    ("POST", OFFERED, {"service_id": "01890000-0000-7000-8000-00000000c403"}, [
        OFFERED, "services/01890000-0000-7000-8000-00000000c403/providers",
    ]),
]  # fmt: skip


@pytest.fixture
async def past_the_cache(database_url, issuer):
    """A replica without Redis: other replicas learn of its changes only by events."""
    app = create_app(config_for(database_url, issuer, None))
    async with TestClient(TestServer(app)) as client:
        yield client


def as_(client, issuer, role: Role) -> Caller:
    return Caller(client, issuer.authorized(role=role))


async def test_an_entry_is_kept_for_five_minutes_and_a_list_for_one(
    client, issuer, own_redis_url
) -> None:
    admin = as_(client, issuer, Role.ADMIN)
    for path in (f"categories/{CATEGORY}", "categories"):
        assert (await admin("GET", path))[0] == 200
    async with Redis.from_url(own_redis_url) as redis:
        kept = {key: await redis.ttl(key) async for key in redis.scan_iter("*:answer:*")}
    lists, entries = [
        [left for key, left in kept.items() if (b"?" in key) is is_list]
        for is_list in (True, False)
    ]
    assert len(lists) == len(entries) == 1
    # What is left of it, on a machine that is busy.
    assert 30 < lists[0] <= 60
    assert 270 < entries[0] <= 300


@pytest.mark.parametrize(("method", "path", "body", "read"), CHANGES)
async def test_a_change_made_elsewhere_arrives_with_its_event(
    past_the_cache, client, issuer, method, path, body, read
) -> None:
    role = Role.PROVIDER if path.startswith("providers") else Role.ADMIN
    reader = as_(client, issuer, Role.PROVIDER)
    await reader("POST", OFFERED, json={"service_id": SERVICE})
    before = {where: (await reader("GET", where))[1] for where in read}
    assert (await as_(past_the_cache, issuer, role)(method, path, json=body))[0] < 300

    async def arrived() -> bool:
        now = {where: (await reader("GET", where))[1] for where in read}
        return all(now[where] != before[where] for where in read)

    await eventually(arrived)


async def test_whoever_made_a_change_sees_it_at_once(admin) -> None:
    for n in range(20):
        await admin("PATCH", f"services/{SERVICE}", json={"name": f"Name {n}"})
        assert (await admin("GET", f"services/{SERVICE}"))[1]["data"]["name"] == f"Name {n}"
        _, body, _ = await admin("GET", "services?order_by=created_at")
        assert f"Name {n}" in {row["name"] for row in body["data"]}


async def test_answers_come_from_the_cache(database_url, anyone) -> None:
    paths = ("services", f"services/{SERVICE}", f"services/{SERVICE}/providers")
    before = [await anyone("GET", path) for path in paths]
    connection = await asyncpg.connect(database_url)
    try:
        # Without an event, which no service does.
        await connection.execute("UPDATE service SET name = name || '!', version = version + 1")
    finally:
        await connection.close()
    after = [await anyone("GET", path) for path in paths]
    assert [body for _, body, _ in after] == [body for _, body, _ in before]
    assert [headers["ETag"] for *_, headers in after] == [h["ETag"] for *_, h in before]


async def test_what_was_not_found_is_found_once_it_is_there(admin, anyone) -> None:
    path = f"category-types/{TYPE}/categories"
    assert (await anyone("GET", f"{path}?page=2"))[1]["data"] == []
    for n in range(20):
        await admin("POST", "categories", json={"type_id": TYPE, "name": f"Category {n}"})
    assert len((await anyone("GET", f"{path}?page=2"))[1]["data"]) == 3


async def test_under_concurrent_writes_no_reader_goes_back_and_all_end_with_the_truth(
    past_the_cache, client, database_url, issuer, own_redis_url
) -> None:
    """Two replicas have a cache and one has none; all get writes, and the cached ones get reads."""
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(
            TestClient(TestServer(create_app(config_for(database_url, issuer, own_redis_url))))
        )
        replicas = (client, other)
        path, listed = f"services/{SERVICE}", f"subcategories/{SUBCATEGORY}/services"

        async def write(client: TestClient, who: str) -> None:
            for n in range(15):
                admin = as_(client, issuer, Role.ADMIN)
                status, body, _ = await admin("PATCH", path, json={"description": f"{who} {n}"})
                assert status == 200, body

        async def read(client: TestClient) -> None:
            anyone = Caller(client, {})
            while not writing.done():
                for where in (path, listed):
                    assert (await anyone("GET", where))[0] == 200

        writing = asyncio.gather(
            *(write(client, str(n)) for n, client in enumerate((*replicas, past_the_cache)))
        )
        await asyncio.gather(writing, *(read(client) for client in replicas for _ in range(3)))
        _, truth, _ = await Caller(past_the_cache, {})("GET", path)
        assert truth["data"]["version"] == 46

        async def all_true() -> bool:
            seen = []
            for replica in replicas:
                anyone = Caller(replica, {})
                seen.append((await anyone("GET", path))[1]["data"])
                _, body, _ = await anyone("GET", listed)
                seen += [row for row in body["data"] if row["id"] == SERVICE]
            return seen == [truth["data"]] * 4

        await eventually(all_true)
        for _ in range(20):  # and it stays so: no late reader has put an old answer back
            assert await all_true()


async def test_a_killed_redis_costs_no_answer_and_events_arrive_when_it_is_back(
    database_url, issuer, killable_redis
) -> None:
    app = create_app(config_for(database_url, issuer, killable_redis.url))
    async with TestClient(TestServer(app)) as client:
        admin, path = as_(client, issuer, Role.ADMIN), f"services/{SERVICE}"
        assert (await admin("GET", path))[0] == 200
        killable_redis.kill()
        async with asyncio.timeout(DEADLINE):
            status, _, _ = await admin("PATCH", path, json={"name": "While it was away"})
            assert status == 200
            for _ in range(10):
                _, body, _ = await admin("GET", path)
                assert body["data"]["name"] == "While it was away"
            assert (await client.get("/readyz")).status == 200
        await asyncio.to_thread(killable_redis.start)
        connection = await asyncpg.connect(database_url)
        try:

            async def published() -> bool:
                return await connection.fetchval("SELECT count(*) FROM outbox") == 0

            await eventually(published)
        finally:
            await connection.close()
        assert (await admin("GET", path))[1]["data"]["name"] == "While it was away"
