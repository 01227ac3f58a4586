"""Both engines with the same empty database, for tests that compare their results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from devstack.testing.mysql_databases import MysqlDatabases
from devstack.testing.postgres import TestPostgres
from lib.db import Database
from tests.services.calling import by_hand


@pytest.fixture
async def engines(
    request: pytest.FixtureRequest, postgres_server: TestPostgres, mysql_server: MysqlDatabases
) -> AsyncIterator[tuple[Database, Database]]:
    """PostgreSQL and MySQL with the schema in the module's name: `test_<db>_engines`."""
    db = request.module.__name__.rpartition(".")[2].removeprefix("test_").removesuffix("_engines")
    servers = (postgres_server, mysql_server)
    urls = [await asyncio.to_thread(server.create, db) for server in servers]
    async with by_hand(urls[0]) as first, by_hand(urls[1]) as second:
        yield first, second
    for server, url in zip(servers, urls, strict=True):
        await asyncio.to_thread(server.drop, url)
