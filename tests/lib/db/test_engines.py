"""The pool of each engine on a real server: transactions, our errors, and recovery."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter
from types import ModuleType

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from structlog.testing import capture_logs

from lib.config import DatabaseSettings
from lib.db import errors, mysql, postgres
from lib.db.engine import open_database
from lib.db.retry import in_transaction
from lib.errors import AppError, Code, StartError

SCHEMA = (
    "CREATE TABLE parent (id int PRIMARY KEY)",
    """
CREATE TABLE item (
    id int, parent int, amount int,
    CONSTRAINT item_key UNIQUE (id),
    CONSTRAINT item_parent FOREIGN KEY (parent) REFERENCES parent (id),
    CONSTRAINT item_amount CHECK (amount >= 0)
)
""",
)


@dataclass(frozen=True)
class Dialect:
    """The SQL of the tests that differs between the engines."""

    scheme: str
    driver: ModuleType
    sleep: str
    endless: str  # a statement that only a limit ends: a `sleep` of MySQL ends without an error
    read_only: str
    placeholder: str
    primary_key: str


DIALECTS = {
    "postgres": Dialect(
        "postgresql",
        postgres,
        "SELECT pg_sleep({})",
        "SELECT pg_sleep(30)",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "$1",
        "parent_pkey",
    ),
    "mysql": Dialect(
        "mysql",
        mysql,
        "SELECT sleep({})",
        "SELECT count(*) FROM information_schema.columns a, information_schema.columns b,"
        " information_schema.columns c WHERE a.column_name + b.column_name > rand()",
        "SET SESSION TRANSACTION READ ONLY",
        "%s",
        "PRIMARY",
    ),
}


@pytest.fixture(params=DIALECTS)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def dialect(engine: str) -> Dialect:
    return DIALECTS[engine]


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database."""
    return request.getfixturevalue({"postgres": "empty_database", "mysql": "empty_mysql"}[engine])


def open_(url: str, **changes: object):
    given = {"database_url": SecretStr(url), "db_pool_min": 1} | changes
    return open_database(DatabaseSettings.model_validate(given), application="test")


@pytest.fixture
async def db(url: str):
    async with open_(url) as db:
        for statement in SCHEMA:
            await db.execute(statement)
        yield db


async def test_a_broken_constraint_is_an_error_that_names_it(db, dialect) -> None:
    for statement, error, constraint in (
        ("INSERT INTO item (id) VALUES (1), (1)", errors.UniqueViolationError, "item_key"),
        ("INSERT INTO parent VALUES (1), (1)", errors.UniqueViolationError, dialect.primary_key),
        ("INSERT INTO item VALUES (1, 9, 1)", errors.ForeignKeyViolationError, "item_parent"),
        ("INSERT INTO item VALUES (1, NULL, -1)", errors.CheckViolationError, "item_amount"),
    ):
        with pytest.raises(error) as caught:
            await db.execute(statement)
        assert caught.value.constraint == constraint


async def test_a_mistake_in_the_code_is_not_dressed_up_as_an_outage(db) -> None:
    with pytest.raises(Exception) as caught:
        await db.fetchval("SELECT nothing FROM nowhere")
    assert not isinstance(caught.value, AppError)


async def test_a_transaction_commits_on_leaving_and_rolls_back_on_an_exception(db) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO parent VALUES (1)")
    with pytest.raises(ValueError):  # noqa: PT012 - the block is what is under test
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO parent VALUES (2)")
            raise ValueError
    assert [tuple(row) for row in await db.fetch("SELECT id FROM parent")] == [(1,)]


async def test_a_cancelled_transaction_leaves_neither_rows_nor_a_lost_connection(
    url, dialect
) -> None:
    async with open_(url, db_pool_max=1) as db:
        await db.execute("CREATE TABLE t (id int)")
        with pytest.raises(TimeoutError):  # noqa: PT012 - the block is what is under test
            async with asyncio.timeout(0.1), db.transaction() as tx:
                await tx.execute("INSERT INTO t VALUES (1)")
                await tx.fetchval(dialect.sleep.format(2))
        # The only connection is free again, and clean.
        assert await db.fetchval("SELECT count(*) FROM t") == 0


async def test_a_statement_over_its_limit_is_cancelled_by_the_server(url, dialect) -> None:
    async with open_(url, db_statement_seconds=2.0) as db:
        with pytest.raises(errors.StatementTimeoutError):
            await db.fetchval(dialect.endless)
        assert await db.fetchval("SELECT 1") == 1


async def test_a_server_that_only_reads_is_unavailable_for_who_writes(url, dialect) -> None:
    async with open_(url, db_pool_max=1) as db:
        await db.execute("CREATE TABLE thing (id int)")
        await db.execute(dialect.read_only)
        with pytest.raises(errors.DatabaseUnavailableError):
            await db.execute("INSERT INTO thing VALUES (1)")


async def test_an_exhausted_pool_refuses_after_its_limit(url) -> None:
    async with open_(url, db_pool_max=1, db_acquire_seconds=0.1) as db, db.transaction():
        started = perf_counter()
        with pytest.raises(errors.DatabaseUnavailableError):
            await db.fetchval("SELECT 1")
        assert perf_counter() - started < 20


async def test_a_transaction_that_lost_a_race_is_run_again(db, dialect) -> None:
    await db.execute("INSERT INTO item VALUES (1, NULL, 0)")
    attempts = 0

    async def add_one(tx) -> None:
        nonlocal attempts
        attempts += 1
        amount = await tx.fetchval("SELECT amount FROM item WHERE id = 1")
        await asyncio.sleep(0.01)
        update = f"UPDATE item SET amount = {dialect.placeholder} WHERE id = 1"
        await tx.execute(update, amount + 1)

    await asyncio.gather(*(in_transaction(db, add_one, attempts=20) for _ in range(4)))
    assert await db.fetchval("SELECT amount FROM item WHERE id = 1") == 4
    assert attempts > 4


async def test_queries_are_timed_under_their_names_and_the_pool_shows_itself(url) -> None:
    registry = CollectorRegistry()
    settings = DatabaseSettings.model_validate({"database_url": SecretStr(url)})
    async with open_database(
        settings, application="test", registry=registry, query_names={"SELECT 1": "one"}
    ) as db:
        await db.fetchval("SELECT 1")
        await db.fetchval("SELECT 2")
        assert registry.get_sample_value("db_pool_connections", {"state": "max"}) == 10.0
    for name in ("one", "other"):
        labels = {"query": name}
        assert registry.get_sample_value("db_query_duration_seconds_count", labels) == 1.0


async def test_after_kill_minus_9_calls_fail_fast_and_a_restart_is_enough(
    engine, dialect, request
) -> None:
    server = request.getfixturevalue(f"killable_{engine}")
    url = await asyncio.to_thread(server.create_empty)
    async with open_(url, db_acquire_seconds=60, db_connect_seconds=60) as db:
        sleeping = asyncio.create_task(db.fetchval(dialect.sleep.format(30)))
        await db.ping()
        server.kill()
        with pytest.raises(AppError) as caught:
            await sleeping
        assert caught.value.code is Code.SERVICE_UNAVAILABLE
        started = perf_counter()
        with pytest.raises(errors.DatabaseUnavailableError):
            await db.ping()
        assert perf_counter() - started < 20
        await asyncio.to_thread(server.start)
        await db.ping()


async def test_a_server_that_never_answers_is_one_sentence_after_five_attempts(
    dialect, monkeypatch
) -> None:
    monkeypatch.setattr(dialect.driver, "CONNECT_WAITS", (0.0, 0.0, 0.0, 0.0))
    with (
        capture_logs() as lines,
        pytest.raises(StartError, match="cannot connect to the database of test") as caught,
    ):
        async with open_(f"{dialect.scheme}://someone:hunter2@127.0.0.1:1/nothing"):
            pass
    assert "hunter2" not in str(caught.value)
    failed = [line for line in lines if line["event"] == "database_connect_failed"]
    assert len(failed) == 4  # and the last attempt, which is the sentence
