"""Both engines with the same empty database, for the tests that compare their answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from devstack.testing.mysql_databases import MysqlDatabases
from devstack.testing.postgres import TestPostgres
from lib.config import DatabaseSettings
from lib.db.engine import OpenDatabase, open_database


@pytest.fixture
async def engines(
    request: pytest.FixtureRequest, postgres_server: TestPostgres, mysql_server: MysqlDatabases
) -> AsyncIterator[tuple[OpenDatabase, OpenDatabase]]:
    """PostgreSQL and MySQL with the schema that the module is called after: `test_<db>_engines`."""
    db = request.module.__name__.rpartition(".")[2].removeprefix("test_").removesuffix("_engines")
    servers = (postgres_server, mysql_server)
    urls = [await asyncio.to_thread(server.create, db) for server in servers]
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(
                open_database(
                    DatabaseSettings(_env_file=None, database_url=SecretStr(url), db_pool_min=1),
                    application="test",
                )
            )
            for url in urls
        ]
        yield first, second
    for server, url in zip(servers, urls, strict=True):
        await asyncio.to_thread(server.drop, url)
