"""The stack with two of its databases on MySQL, by their URLs alone: its routes answer the same."""

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
    """An empty MySQL database for each service that can have one."""
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
    """The gateway of such a stack, asked by the administrator."""
    stack = mysql_stack
    headers = await asyncio.to_thread(stack.authorized)
    async with aiohttp.ClientSession(stack.url, headers=headers) as session:
        yield session


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    """Ask the database itself."""
    arguments = connect_arguments(url, connect_seconds=5, statement_seconds=5)
    with (
        pymysql.connect(database=arguments.pop("db"), **arguments) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
        return list(cursor.fetchall())


async def add(api, path: str, new: dict[str, object]) -> None:
    async with api.post(path, json=new) as answer:
        assert answer.status == 201, await answer.text()


@pytest.mark.long
async def test_departments_and_products_live_on_mysql(api, urls) -> None:
    await add(api, "/api/departments/v1/departments", {"name": "Élan", "address": "50%"})
    assert rows(urls["department"], "SELECT name, address FROM department") == [("Élan", "50%")]
    lamp = {"name": "Lamp", "price": "19.90", "currency": "EUR", "stock": 3}
    await add(api, "/api/products/v1/products", lamp)
    assert rows(urls["product"], "SELECT name, stock FROM product") == [("Lamp", 3)]
    deadline = asyncio.get_running_loop().time() + 20
    while rows(urls["product"], "SELECT 1 FROM outbox LIMIT 1"):
        assert asyncio.get_running_loop().time() < deadline, "events stay in the outbox"
        await asyncio.sleep(0.1)
