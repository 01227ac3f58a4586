"""The stack with two databases on MySQL, selected only by their URLs: routes respond the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pymysql
import pytest

from lib.db.mysql_session import connect_arguments
from tests.e2e.conftest import Stack

DATABASES = ("department", "product")


@pytest.fixture(scope="module")
def urls(mysql_server) -> Iterator[dict[str, str]]:
    """An empty MySQL database for each service that supports MySQL."""
    made = {db: mysql_server.create_empty(db) for db in DATABASES}
    yield made
    for url in made.values():
        mysql_server.drop(url)


@pytest.fixture
async def mysql_stack(own_stack, urls) -> Stack:
    """A stack on these databases."""
    stack = own_stack(**{f"{db.upper()}_DATABASE_URL": url for db, url in urls.items()})
    await asyncio.to_thread(stack.wait_until_said, "ready; press Ctrl-C")
    return stack


@pytest.fixture
async def api(mysql_stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    """The gateway of such a stack, with requests of the administrator."""
    stack = mysql_stack
    headers = await asyncio.to_thread(stack.authorized)
    async with aiohttp.ClientSession(stack.url, headers=headers) as session:
        yield session


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    """Query the database directly."""
    arguments = connect_arguments(url, connect_seconds=5, statement_seconds=5)
    with (
        pymysql.connect(database=arguments.pop("db"), **arguments) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
        return list(cursor.fetchall())


async def ask(api, method: str, path: str, status: int, **options):
    async with api.request(method, path, **options) as answer:
        text = await answer.text()
        assert answer.status == status, text
        body = await answer.json() if text else {}
        return body.get("data"), answer.headers.get("ETag", "")


@pytest.mark.long
async def test_departments_and_products_live_on_mysql(api, urls, mysql_stack) -> None:
    departments, products = "/api/departments/v1/departments", "/api/products/v1/products"
    new, _ = await ask(api, "POST", departments, 201, json={"name": "Élan", "address": "50%"})
    await ask(api, "POST", departments, 409, json={"name": "éLAN"})
    found, _ = await ask(api, "GET", f"{departments}?search=ÉLAN", 200)
    assert [row["id"] for row in found] == [new["id"]]
    assert rows(urls["department"], "SELECT name, address FROM department") == [("Élan", "50%")]

    body = {"name": "Lamp", "price": "19.90", "currency": "EUR", "stock": 3}
    lamp, etag = await ask(api, "POST", products, 201, json=body)
    one = f"{products}/{lamp['id']}"
    await ask(api, "PATCH", one, 428, json={"stock": 5})
    changed, newer = await ask(
        api, "PATCH", one, 200, json={"stock": 5}, headers={"If-Match": etag}
    )
    assert (changed["stock"], newer != etag) == (5, True)
    await ask(api, "PATCH", one, 412, json={"stock": 6}, headers={"If-Match": etag})
    assert rows(urls["product"], "SELECT name, stock FROM product") == [("Lamp", 5)]

    line = {"product_id": lamp["id"], "quantity": 4}
    reserve = {"json": {"lines": [line]}, "headers": {"Idempotency-Key": "k"}}
    # Not for the public: the service itself is asked.
    reservations = f"http://127.0.0.1:{mysql_stack.port('PRODUCT_PORT')}/api/v1/reservations"
    held, _ = await ask(api, "POST", reservations, 201, **reserve)
    again = f"{reservations}/{held['id']}/release"
    await ask(api, "POST", again, 200)
    lamp, _ = await ask(api, "GET", one, 200)
    assert lamp["stock"] == 5

    deadline = asyncio.get_running_loop().time() + 20
    while rows(urls["product"], "SELECT 1 FROM outbox LIMIT 1"):
        assert asyncio.get_running_loop().time() < deadline, "events stay in the outbox"
        await asyncio.sleep(0.1)
