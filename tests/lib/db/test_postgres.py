"""The pool on a real server: transactions, our errors, and recovery after a crash."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from time import perf_counter

import pytest
from pydantic import SecretStr

from devstack.testing.wait import DEADLINE, eventually
from lib.config import PostgresSettings
from lib.db import Database, errors
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
    """The sessions of a server that became a follower stay open; all of them are replaced."""
    async with open_database(settings(empty_database), application="test") as leader:
        await leader.execute("CREATE TABLE thing (id int)")
        name = await leader.fetchval("SELECT current_database()")
        await leader.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        async with open_database(settings(empty_database), application="test") as db:
            with pytest.raises(errors.DatabaseUnavailableError):
                await db.execute("INSERT INTO thing VALUES (1)")
            await leader.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            await db.execute("INSERT INTO thing VALUES (2)")


@pytest.mark.parametrize("in_transaction_of_ours", [False, True])
async def test_sessions_of_a_database_that_was_read_only_for_a_while_are_not_used_again(
    empty_database: str, in_transaction_of_ours: bool
) -> None:
    """They would stay read-only, and refuse a write minutes later."""
    many = settings(empty_database, db_pool_min=4, db_pool_max=8)
    async with open_database(settings(empty_database), application="test") as leader:
        await leader.execute("CREATE TABLE thing (id int)")
        name = await leader.fetchval("SELECT current_database()")
        async with open_database(many, application="test") as db, AsyncExitStack() as stack:
            # One is in use all the time, and was opened before.
            busy = await stack.enter_async_context(db.transaction())
            await busy.fetchval("SELECT 1")
            await leader.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
            await db.renew()
            await asyncio.gather(*(db.fetchval("SELECT pg_sleep(0.05)") for _ in range(7)))
            with pytest.raises(errors.DatabaseUnavailableError):
                await _write(db, alone=not in_transaction_of_ours)
            await asyncio.gather(*(db.fetchval("SELECT pg_sleep(0.05)") for _ in range(7)))
            await leader.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            await stack.aclose()
            for _ in range(3):
                await asyncio.gather(*(_write(db, alone=True) for _ in range(8)))


async def test_a_pool_that_started_while_nobody_could_write_writes_later(
    empty_database: str,
) -> None:
    many = settings(empty_database, db_pool_min=4, db_pool_max=4)
    async with open_database(settings(empty_database), application="test") as leader:
        await leader.execute("CREATE TABLE thing (id int)")
        name = await leader.fetchval("SELECT current_database()")
        await leader.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        async with open_database(many, application="test") as db:
            await leader.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            await asyncio.gather(*(_write(db, alone=True) for _ in range(8)))


async def test_a_connection_in_use_during_a_renewal_is_replaced_too(empty_database: str) -> None:
    config = settings(empty_database, db_pool_max=1)
    async with open_database(config, application="test") as db:
        async with db.transaction() as tx:
            first = await tx.fetchval("SELECT pg_backend_pid()")
            await db.renew()
        assert await db.fetchval("SELECT pg_backend_pid()") != first


async def _write(db: Database, *, alone: bool) -> None:
    if alone:
        await db.execute("INSERT INTO thing VALUES (2)")
        return
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO thing VALUES (2)")


async def test_a_caller_that_has_to_wait_gets_the_next_free_connection(empty_database) -> None:
    config = settings(empty_database, db_pool_max=1)
    async with open_database(config, application="test") as db:
        for _ in range(3):
            waits = [db.fetchval("SELECT pg_sleep(0.01)") for _ in range(5)]
            async with asyncio.timeout(DEADLINE):
                await asyncio.gather(*waits)
        assert (db.get_idle_size(), db.get_size()) == (1, 1)


async def test_a_connection_is_replaced_after_its_lifetime(empty_database: str) -> None:
    config = settings(empty_database, db_pool_max=1, db_lifetime_seconds=0.05)
    async with open_database(config, application="test") as db:
        first = await db.fetchval("SELECT pg_backend_pid()")

        async def is_another() -> bool:
            return await db.fetchval("SELECT pg_backend_pid()") != first

        await eventually(is_another)


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
