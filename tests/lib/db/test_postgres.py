"""The pool on a real server: transactions, failures as errors of ours, recovery after a crash."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from devstack.testing.wait import eventually
from lib.config import PostgresSettings
from lib.db import errors, postgres
from lib.db.postgres import open_database
from lib.db.retry import in_transaction
from lib.errors import AppError, Code, StartError

SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE item (
    id int CONSTRAINT item_key PRIMARY KEY,
    parent int CONSTRAINT item_parent REFERENCES parent,
    amount int CONSTRAINT item_amount CHECK (amount >= 0)
)
"""


def settings(url: str, **changes: object) -> PostgresSettings:
    return PostgresSettings.model_validate(
        {"database_url": SecretStr(url), "db_pool_min": 1} | changes
    )


@pytest.fixture
async def db(empty_database: str):
    async with open_database(settings(empty_database), application="test") as db:
        for statement in SCHEMA.split(";"):
            await db.execute(statement)
        yield db


@pytest.mark.parametrize(
    ("statement", "error", "constraint"),
    [
        ("INSERT INTO item VALUES (1), (1)", errors.UniqueViolationError, "item_key"),
        ("INSERT INTO item VALUES (1, 9)", errors.ForeignKeyViolationError, "item_parent"),
        ("INSERT INTO item VALUES (1, NULL, -1)", errors.CheckViolationError, "item_amount"),
    ],
)
async def test_a_broken_constraint_is_an_error_that_names_it(db, statement, error, constraint):
    with pytest.raises(error) as caught:
        await db.execute(statement)
    assert caught.value.constraint == constraint


async def test_a_text_that_the_server_cannot_store_is_a_bad_request(db) -> None:
    with pytest.raises(AppError) as caught:
        await db.fetchval("SELECT $1::text", "a\x00b")
    assert caught.value.code is Code.BAD_REQUEST


async def test_a_mistake_in_the_code_is_not_dressed_up_as_an_outage(db) -> None:
    with pytest.raises(Exception) as caught:
        await db.fetchval("SELECT $1::int")
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
    empty_database,
) -> None:
    async with open_database(settings(empty_database, db_pool_max=1), application="test") as db:
        await db.execute("CREATE TABLE t (id int)")
        with pytest.raises(TimeoutError):  # noqa: PT012 - the block is what is under test
            async with asyncio.timeout(0.1), db.transaction() as tx:
                await tx.execute("INSERT INTO t VALUES (1)")
                await tx.fetchval("SELECT pg_sleep(10)")
        # The only connection is free again, and clean.
        assert await db.fetchval("SELECT count(*) FROM t") == 0


async def test_a_statement_over_its_limit_is_cancelled_by_the_server(empty_database) -> None:
    config = settings(empty_database, db_statement_seconds=0.1)
    async with open_database(config, application="test") as db:
        with pytest.raises(errors.StatementTimeoutError):
            await db.fetchval("SELECT pg_sleep(10)")
        assert await db.fetchval("SELECT 1") == 1


async def test_a_server_that_only_reads_is_unavailable_for_who_writes(empty_database) -> None:
    async with open_database(settings(empty_database), application="test") as db:
        await db.execute("CREATE TABLE thing (id int)")
        async with db.transaction() as tx:
            await tx.execute("SET TRANSACTION READ ONLY")
            with pytest.raises(errors.DatabaseUnavailableError):
                await tx.execute("INSERT INTO thing VALUES (1)")


async def test_a_server_that_leads_no_more_is_left_at_once(empty_database: str) -> None:
    """The sessions of a server that was made a follower stay open; all are replaced."""
    async with open_database(settings(empty_database), application="test") as leader:
        await leader.execute("CREATE TABLE thing (id int)")
        name = await leader.fetchval("SELECT current_database()")
        await leader.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        async with open_database(settings(empty_database), application="test") as db:
            await leader.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            with pytest.raises(errors.DatabaseUnavailableError):
                await db.execute("INSERT INTO thing VALUES (1)")
            await db.execute("INSERT INTO thing VALUES (2)")


async def test_an_exhausted_pool_refuses_after_its_limit(empty_database) -> None:
    config = settings(empty_database, db_pool_max=1, db_acquire_seconds=0.1)
    async with open_database(config, application="test") as db, db.transaction():
        started = perf_counter()
        with pytest.raises(errors.DatabaseUnavailableError):
            await db.fetchval("SELECT 1")
        assert perf_counter() - started < 1.0


async def test_a_caller_that_has_to_wait_gets_the_next_free_connection(empty_database) -> None:
    config = settings(empty_database, db_pool_max=1)
    async with open_database(config, application="test") as db:
        for _ in range(3):
            waits = [db.fetchval("SELECT pg_sleep(0.01)") for _ in range(5)]
            async with asyncio.timeout(5):
                await asyncio.gather(*waits)
        assert (db.get_idle_size(), db.get_size()) == (1, 1)


async def test_a_renewed_pool_has_new_connections(empty_database) -> None:
    config = settings(empty_database, db_pool_max=1)
    async with open_database(config, application="test") as db:
        first = await db.fetchval("SELECT pg_backend_pid()")
        assert await db.fetchval("SELECT pg_backend_pid()") == first
        await db.renew()
        assert await db.fetchval("SELECT pg_backend_pid()") != first


async def test_a_transaction_that_lost_a_race_is_run_again(db) -> None:
    await db.execute("INSERT INTO item VALUES (1, NULL, 0)")
    attempts = 0

    async def add_one(tx) -> None:
        nonlocal attempts
        attempts += 1
        amount = await tx.fetchval("SELECT amount FROM item WHERE id = 1")
        await asyncio.sleep(0.01)
        await tx.execute("UPDATE item SET amount = $1 WHERE id = 1", amount + 1)

    await asyncio.gather(*(in_transaction(db, add_one, attempts=20) for _ in range(4)))
    assert await db.fetchval("SELECT amount FROM item WHERE id = 1") == 4
    assert attempts > 4


async def test_a_released_connection_costs_no_round_trip_of_its_own(db) -> None:
    async with db.transaction() as tx:
        pid = await tx.fetchval("SELECT pg_backend_pid()")
    last = "SELECT query FROM pg_stat_activity WHERE pid = $1"
    assert "RESET ALL" not in await db.fetchval(last, pid)


async def test_queries_are_timed_under_their_names_and_the_pool_shows_itself(
    empty_database,
) -> None:
    registry = CollectorRegistry()
    async with open_database(
        settings(empty_database),
        application="test",
        registry=registry,
        query_names={"SELECT 1": "one"},
    ) as db:
        await db.fetchval("SELECT 1")
        await db.fetchval("SELECT 2")
    for name in ("one", "other"):
        labels = {"query": name}
        assert registry.get_sample_value("db_query_duration_seconds_count", labels) == 1.0
    assert registry.get_sample_value("db_pool_connections", {"state": "max"}) == 10.0


async def test_after_kill_minus_9_calls_fail_fast_and_a_restart_is_enough(
    killable_postgres,
) -> None:
    url = await asyncio.to_thread(killable_postgres.create_empty)
    async with open_database(settings(url), application="test") as db:
        sleeping = asyncio.create_task(db.fetchval("SELECT pg_sleep(30)"))
        await db.ping()
        killable_postgres.kill()
        with pytest.raises(AppError) as caught:
            await sleeping
        assert caught.value.code is Code.SERVICE_UNAVAILABLE
        started = perf_counter()
        with pytest.raises(errors.DatabaseUnavailableError):
            await db.ping()
        assert perf_counter() - started < 3.0
        await asyncio.to_thread(killable_postgres.start)
        await db.ping()


async def test_a_server_that_never_answers_is_one_sentence_after_five_attempts(monkeypatch) -> None:
    monkeypatch.setattr(postgres, "CONNECT_WAITS", (0.0, 0.0, 0.0, 0.0))
    with pytest.raises(StartError, match="cannot connect to the database of test") as caught:
        async with open_database(
            settings("postgresql://someone:hunter2@127.0.0.1:1/nothing"), application="test"
        ):
            pass
    assert "hunter2" not in str(caught.value)


async def test_a_closed_pool_refuses_at_once_and_lets_what_runs_finish(empty_database: str) -> None:
    running: list[asyncio.Task[object]] = []
    async with open_database(settings(empty_database, db_pool_max=1), application="test") as db:
        running.append(asyncio.create_task(db.fetchval("SELECT 1 FROM pg_sleep(0.5)")))
        await eventually(lambda: db.get_size() == 1 and db.get_idle_size() == 0)
        running.append(asyncio.create_task(db.fetchval("SELECT 2")))  # waits for the first
        await asyncio.sleep(0)
        started = perf_counter()
    assert perf_counter() - started < 4.0, "the connection was kept, so closing had to give up"
    assert await running[0] == 1
    with pytest.raises(errors.DatabaseClosedError):
        await running[1]
    for call in (db.ping, lambda: in_transaction(db, lambda tx: tx.fetchval("SELECT 1"))):
        with pytest.raises(errors.DatabaseClosedError) as refused:
            await call()
        assert refused.value.code is Code.SERVICE_UNAVAILABLE
