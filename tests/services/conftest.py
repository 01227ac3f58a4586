"""Common parts of the services' tests: databases on each engine, and a Redis database per test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from devstack.settings import service_names
from devstack.testing.mysql import TestMysql
from devstack.testing.mysql_databases import MysqlDatabases
from devstack.testing.postgres import TestPostgres
from devstack.testing.roles import entered_as_services
from lib.db import Database
from lib.http import server
from lib.redis import RedisOptions, open_redis
from tests.conftest import NewDatabase
from tests.services.calling import by_hand

ENGINES = ("postgres", "mysql")


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Services wait longer for busy servers; tests of limits set their own times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUEST_SECONDS", "60")
        # Those of a service, and those of whoever looks at its database.
        for prefix in (*(f"{service.upper()}_" for service in service_names()), ""):
            patch.setenv(f"{prefix}DB_STATEMENT_SECONDS", "50")
            patch.setenv(f"{prefix}DB_ACQUIRE_SECONDS", "50")
        yield


@pytest.fixture(scope="session", autouse=True)
def looked_for_soon() -> Iterator[None]:
    """A service that ends checks sooner whether its callers are gone, because here they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_LOOK_SECONDS", 0.001)
        yield


@pytest.fixture(scope="session", autouse=True)
def own_rights() -> Iterator[None]:
    """Services connect to their databases with the privileges of their roles, not as the owner."""
    with entered_as_services():
        yield


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of a test, which runs once for each engine."""
    return request.param


@pytest.fixture
def engine_server(engine: str, request: pytest.FixtureRequest) -> TestPostgres | MysqlDatabases:
    """The shared server of this engine. Do not kill it."""
    return request.getfixturevalue(f"{engine}_server")


@pytest.fixture
def killable_server(engine: str, request: pytest.FixtureRequest) -> TestPostgres | TestMysql:
    """A server of this engine for one test."""
    return request.getfixturevalue(f"killable_{engine}")


@pytest.fixture
async def new_engine_database(
    engine_server: TestPostgres | MysqlDatabases,
) -> AsyncIterator[NewDatabase]:
    """Create databases on this engine, which are returned after the test."""
    made: list[str] = []

    async def new(db: str, *, demo: bool = False) -> str:
        made.append(await asyncio.to_thread(engine_server.create, db, demo=demo))
        return made[-1]

    yield new
    for url in made:
        await asyncio.to_thread(engine_server.give_back, url)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The test's database, as a service opens it; each service has its own `database_url`."""
    async with by_hand(database_url) as db:
        yield db


@pytest.fixture
async def own_redis_url(redis_url: str) -> str:
    """An empty database of the shared Redis, because the names of keys and streams are fixed."""
    url = f"{redis_url.rpartition('/')[0]}/7"
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
    return url


@pytest.fixture
async def redis(own_redis_url: str) -> AsyncIterator[Redis]:
    """A client of this database."""
    async with open_redis(RedisOptions(own_redis_url)) as client:
        yield client
