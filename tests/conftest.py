"""Fixtures that every test may use: databases cloned per test, a Redis, servers to kill."""

from __future__ import annotations

import asyncio
import gc
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pytest
import structlog

from devstack.embedded import ports
from devstack.testing import auth, known_types, mysql, nats, postgres, redis, redis_groups
from devstack.testing.mysql_databases import MysqlDatabases
from lib import grpc  # noqa: F401 - says how the core of grpc behaves, before a test imports that
from lib.redis import RedisOptions
from tests import scratch
from tests.grants import GRANTS

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


# `rounds = full(200, sample=20)`: how often, in `make test-long` and in every other run.
Full = Callable[..., int]
# The same of what a property is tried with. No time limit: a busy machine would be a finding.
hypothesis.settings.register_profile("long", max_examples=500, deadline=None)
hypothesis.settings.register_profile("sample", max_examples=25, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="run what is long by nature, whole, and nothing else"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep the workers' ports apart: one could take what another has found free."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has started us in its background; what we start would not hear Ctrl-C either.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "sample")
    worker = getattr(config, "workerinput", None)
    if worker is None:
        memory = ExitStack()
        memory.enter_context(scratch.in_memory())  # workers find it in their environment
        config.add_cleanup(memory.close)
    else:
        ports.keep_to_every(worker["workercount"], int(worker["workerid"].removeprefix("gw")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked `long` to the long run; it takes that, and all that is sampled here."""
    wanted = config.getoption("--long")
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        is_long = item.get_closest_marker("long") is not None
        has_sample = "full" in getattr(item, "fixturenames", ())
        has_sample |= hypothesis.is_hypothesis_test(getattr(item, "obj", None))
        is_both = wanted and has_sample
        (kept if is_both or is_long == wanted else left).append(item)
    for item in kept if wanted else ():
        item.add_marker(pytest.mark.timeout(3600))  # long, on a machine that is busy
    # What takes longest begins: the workers end together.
    kept.sort(key=lambda item: not item.nodeid.startswith(E2E))
    if left:
        config.hook.pytest_deselected(items=left)
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Let the collector rest: what is read now stays until the end."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep the collector away from half a million objects that thousands of tests are made of.

    What a test makes is gone with it, as a rule: the collector looks less often than it does by
    itself, which takes a twentieth of what tests take in this process, and no more memory.
    """
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Collect what is left before plugins import what they end with.

    A task that ended badly logs its traceback when it is collected, for which Python 3.11 parses
    its lines. Amid the parsing of a module that is imported, the import fails (python/cpython
    #106905), and with it the whole run.
    """
    gc.collect()
    gc.disable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files side by side, but those of `e2e`, whose stack is everybody's, one after the other."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return E2E if file.startswith(E2E) else file

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> Full:
    """Say how often what is long by nature is done."""
    is_long = request.config.getoption("--long")

    def times(whole: int, *, sample: int) -> int:
        return whole if is_long else sample

    return times


class NewDatabase(Protocol):
    """`url = await new_database("user", demo=True)`: a database of the test's own, migrated."""

    async def __call__(self, db: str, *, demo: bool = False, schema: Path | None = None) -> str: ...


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A folder for servers that root demotes; pytest keeps every other account out of its own."""
    with tempfile.TemporaryDirectory(prefix="test-run-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.TestPostgres]:
    """The run's PostgreSQL. Never kill this one: take `killable_postgres`."""
    with postgres.shared(ROOT / "migrations") as server, known_types.asked_once(server.port):
        yield server


@pytest.fixture
async def new_database(postgres_server: postgres.TestPostgres) -> AsyncIterator[NewDatabase]:
    """Make databases that are given back after the test."""
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
    """The URL of a database with nothing in it."""
    url = await asyncio.to_thread(postgres_server.create_empty)
    yield url
    await asyncio.to_thread(postgres_server.drop, url)


@pytest.fixture
def killable_postgres() -> Iterator[postgres.TestPostgres]:
    """A PostgreSQL for this test alone: `create(db)`, `kill()`, `start()`."""
    with postgres.running(ROOT / "migrations") as server:
        yield server


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[MysqlDatabases]:
    """`TEST_MYSQL_URL`, or the run's MariaDB if one is installed. To kill: `killable_mysql`."""
    with mysql.shared(ROOT / "migrations") as server:
        yield server


@pytest.fixture
async def empty_mysql(mysql_server: MysqlDatabases) -> AsyncIterator[str]:
    """The URL of a MySQL database with nothing in it."""
    url = await asyncio.to_thread(mysql_server.create_empty)
    yield url
    await asyncio.to_thread(mysql_server.drop, url)


@pytest.fixture
def killable_mysql() -> Iterator[mysql.TestMysql]:
    """A MariaDB for this test alone: `create(db)`, `kill()`, `start()`."""
    with mysql.running(ROOT / "migrations") as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[redis.TestRedis | redis.Instance]:
    """The run's Redis. Never kill this one: take `killable_redis`."""
    with redis.shared() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: redis.TestRedis | redis.Instance) -> str:
    """The URL of the run's Redis. Shared: use keys of your own."""
    return redis_server.url


@pytest.fixture
def killable_redis() -> Iterator[redis.TestRedis]:
    """A Redis for this test alone: `url`, `kill()`, `start()`."""
    with redis.running() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def patience_with_redis() -> Iterator[None]:
    """Clients wait for a server that a busy machine holds up; who tests limits names them."""
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
    """The run's Redis Cluster, three primaries and three replicas; who harms it waits for whole."""
    with redis_groups.cluster() as group:
        yield group


@pytest.fixture(scope="session")
def redis_sentinels() -> Iterator[redis_groups.TestSentinels]:
    """The run's Redis under three Sentinels; who harms it waits until it is whole."""
    with redis_groups.sentinels() as group:
        yield group


@pytest.fixture(params=["server", pytest.param("sentinel", marks=pytest.mark.long), "cluster"])
def any_redis_url(request: pytest.FixtureRequest) -> str:
    """The URL of each kind of Redis in turn; under Sentinels in the long run."""
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
    """The run's NATS server with JetStream. Never kill this one: take `killable_nats`."""
    with nats.running() as server:
        yield server


@pytest.fixture
def killable_nats() -> Iterator[nats.TestNats]:
    """A NATS server for this test alone: `url`, `kill()`, `start()`."""
    with nats.running() as server:
        yield server


@pytest.fixture(scope="session")
def nats_cluster() -> Iterator[nats.TestNatsCluster]:
    """The run's three NATS servers; who harms them waits until they are whole."""
    with nats.cluster() as group:
        yield group


@pytest.fixture(scope="session")
def issuer() -> Iterator[auth.TestIssuer]:
    """Gives tokens: services that start with `auth_jwks_url=issuer.url` believe them."""
    with auth.running(grants=GRANTS) as running:
        yield running
