"""The pool on a real server: transactions, failures as errors of ours, recovery after a crash."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest
from pydantic import SecretStr

from devstack.testing.wait import eventually
from lib.config import PostgresSettings
from lib.db import errors
from lib.db.postgres import open_database
from lib.db.retry import in_transaction
from lib.errors import AppError, Code


def settings(url: str, **changes: object) -> PostgresSettings:
    return PostgresSettings.model_validate(
        {"database_url": SecretStr(url), "db_pool_min": 1} | changes
    )


@pytest.fixture
async def db(empty_database: str):
    async with open_database(settings(empty_database), application="test") as db:
        yield db


async def test_a_text_that_the_server_cannot_store_is_a_bad_request(db) -> None:
    with pytest.raises(AppError) as caught:
        await db.fetchval("SELECT $1::text", "a\x00b")
    assert caught.value.code is Code.BAD_REQUEST


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


async def test_a_released_connection_costs_no_round_trip_of_its_own(db) -> None:
    async with db.transaction() as tx:
        pid = await tx.fetchval("SELECT pg_backend_pid()")
    last = "SELECT query FROM pg_stat_activity WHERE pid = $1"
    assert "RESET ALL" not in await db.fetchval(last, pid)


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
