"""Fixtures for all tests: databases cloned per test, a Redis, and servers that a test may kill."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
import structlog

from codegen.tests import plugin
from codegen.tests.plugin import (
    Full,
    full,
    pytest_addoption,
    pytest_collection,
    pytest_collection_finish,
    pytest_configure,
    pytest_sessionfinish,
)
from devstack.testing import auth, known_types, mysql, nats, postgres, redis, redis_groups
from devstack.testing.mysql_databases import MysqlDatabases
from lib import grpc  # noqa: F401 - says how the core of grpc behaves, before a test imports that
from lib.redis import RedisOptions
from tests.grants import GRANTS

__all__ = [
    "Full",
    "full",
    "pytest_addoption",
    "pytest_collection",
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_sessionfinish",
]
ROOT = Path(__file__).resolve().parent.parent
E2E = "tests/e2e/"
# As the library has it, but for tracebacks: with their source and every variable, as it prints them
# otherwise, one takes longer than what most tests wait for.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start with the slowest tests, so that the workers end at about the same time."""
    plugin.pytest_collection_modifyitems(config, items)
    items.sort(key=lambda item: not item.nodeid.startswith(E2E))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run files in parallel, but those of `e2e` one after the other, because they share a stack."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return E2E if file.startswith(E2E) else file

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


class NewDatabase(Protocol):
    """`url = await new_database("user", demo=True)` is a migrated database for one test."""

    async def __call__(self, db: str, *, demo: bool = False, schema: Path | None = None) -> str: ...


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A folder for servers that root runs as another account; pytest's folders are closed to it."""
    with tempfile.TemporaryDirectory(prefix="test-run-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.TestPostgres]:
    """The PostgreSQL server that all tests share. Do not kill it: use `killable_postgres`."""
    with postgres.shared(ROOT / "migrations") as server, known_types.asked_once(server.port):
        yield server


@pytest.fixture
async def new_database(postgres_server: postgres.TestPostgres) -> AsyncIterator[NewDatabase]:
    """Create databases that are returned after the test."""
    made: list[str] = []

    async def new(db: str, *, demo: bool = False, schema: Path | None = None) -> str:
        create = partial(postgres_server.create, db, demo=demo, schema=schema)
        made.append(await asyncio.to_thread(create))
        return made[-1]

    yield new
    for url in made:
        await asyncio.to_thread(postgres_server.give_back, url)


@pytest.fixture
async def empty_database(postgres_server: postgres.TestPostgres) -> AsyncIterator[str]:
    """The URL of an empty database."""
    url = await asyncio.to_thread(postgres_server.create_empty)
    yield url
    await asyncio.to_thread(postgres_server.drop, url)


@pytest.fixture
def killable_postgres() -> Iterator[postgres.TestPostgres]:
    """A PostgreSQL server for one test: `create(db)`, `kill()`, `start()`."""
    with postgres.running(ROOT / "migrations") as server:
        yield server


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[MysqlDatabases]:
    """The server at `TEST_MYSQL_URL`, or a shared MariaDB if one is installed.

    To kill a server, use `killable_mysql`.
    """
    with mysql.shared(ROOT / "migrations") as server:
        yield server


@pytest.fixture
async def empty_mysql(mysql_server: MysqlDatabases) -> AsyncIterator[str]:
    """The URL of an empty MySQL database."""
    url = await asyncio.to_thread(mysql_server.create_empty)
    yield url
    await asyncio.to_thread(mysql_server.drop, url)


@pytest.fixture
def killable_mysql() -> Iterator[mysql.TestMysql]:
    """A MariaDB server for one test: `create(db)`, `kill()`, `start()`."""
    with mysql.running(ROOT / "migrations") as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[redis.TestRedis | redis.Instance]:
    """The Redis server that all tests share. Do not kill it: use `killable_redis`."""
    with redis.shared() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: redis.TestRedis | redis.Instance) -> str:
    """The URL of the shared Redis. Use keys of your own."""
    return redis_server.url


@pytest.fixture
def killable_redis() -> Iterator[redis.TestRedis]:
    """A Redis server for one test: `url`, `kill()`, `start()`."""
    with redis.running() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def patience_with_redis() -> Iterator[None]:
    """Clients wait longer for a slow server; tests of limits set their own limits."""
    with pytest.MonkeyPatch.context() as patch:
        options = {
            "size": 20,
            "io_seconds": 20.0,
            "acquire_seconds": 20.0,
            "idle_check_seconds": 30,
        }
        patch.setattr(RedisOptions.__init__, "__defaults__", tuple(options.values()))
        yield


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[redis_groups.TestCluster]:
    """The shared Redis Cluster, with three primaries and three replicas.

    A test that harms it waits until it is complete again.
    """
    with redis_groups.cluster() as group:
        yield group


@pytest.fixture(scope="session")
def redis_sentinels() -> Iterator[redis_groups.TestSentinels]:
    """The shared Redis under three Sentinels.

    A test that harms it waits until it is complete again.
    """
    with redis_groups.sentinels() as group:
        yield group


@pytest.fixture(params=["server", pytest.param("sentinel", marks=pytest.mark.long), "cluster"])
def any_redis_url(request: pytest.FixtureRequest) -> str:
    """The URL of each kind of Redis in turn; Sentinels only in the long run."""
    name = {"server": "redis_server", "sentinel": "redis_sentinels", "cluster": "redis_cluster"}
    url: str = request.getfixturevalue(name[request.param]).url
    return url


@pytest.fixture(
    params=[
        "server",
        pytest.param("sentinel", marks=pytest.mark.long),
        "cluster",
        pytest.param("lanes", marks=pytest.mark.long),
        "nats",
    ]
)
def any_broker_url(request: pytest.FixtureRequest) -> str:
    """The URL of each kind of broker in turn."""
    name = {
        "server": "redis_server",
        "sentinel": "redis_sentinels",
        "cluster": "redis_cluster",
        "lanes": "redis_cluster",
        "nats": "nats_server",
    }
    # On NATS who was killed is missed soon.
    more = {"lanes": "?lanes=3", "nats": "?ack_seconds=0.4"}
    return str(request.getfixturevalue(name[request.param]).url) + more.get(request.param, "")


@pytest.fixture(scope="session")
def nats_server() -> Iterator[nats.TestNats]:
    """The NATS server with JetStream that all tests share. Do not kill it: use `killable_nats`."""
    with nats.running() as server:
        yield server


@pytest.fixture
def killable_nats() -> Iterator[nats.TestNats]:
    """A NATS server for one test: `url`, `kill()`, `start()`."""
    with nats.running() as server:
        yield server


@pytest.fixture(scope="session")
def nats_cluster() -> Iterator[nats.TestNatsCluster]:
    """The three shared NATS servers; a test that harms them waits until they are complete again."""
    with nats.cluster() as group:
        yield group


@pytest.fixture(scope="session")
def issuer() -> Iterator[auth.TestIssuer]:
    """An issuer of tokens for services that start with `auth_jwks_url=issuer.url`."""
    with auth.running(grants=GRANTS) as running:
        yield running
