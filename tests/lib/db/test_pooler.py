"""Services through a real PgBouncer in transaction mode, with fewer sessions than connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from devstack.testing import pgbouncer
from devstack.testing.pgbouncer import TestPgBouncer
from lib.config import DatabaseSettings, Pooler
from lib.db import migrations
from lib.db.errors import DatabaseUnavailableError, UniqueViolationError
from lib.db.postgres import PostgresDatabase, open_database
from lib.errors import AppError, Code
from lib.events import publish
from lib.events.store import outbox
from lib.ids import new_id
from lib.store import inbox
from services.point import service as points
from tests.conftest import Full

SUMS = """
SELECT count(*) FROM point_balance AS b
WHERE balance <> (SELECT coalesce(sum(amount), 0) FROM point_entry AS e WHERE e.user_id = b.user_id)
"""
EARN = "INSERT INTO point_entry (id, user_id, amount, reason) VALUES ($1, $2, $3, 'test')"


@pytest.fixture(scope="module")
def bouncer(postgres_server) -> Iterator[TestPgBouncer]:
    url = postgres_server.create_empty()
    with pgbouncer.running(url, servers=3) as started:
        yield started
    postgres_server.drop(url)


@asynccontextmanager
async def opened(url: str, **more: object) -> AsyncIterator[PostgresDatabase]:
    settings = DatabaseSettings(
        _env_file=None,
        database_url=SecretStr(url),
        **{"database_pooler": Pooler.TRANSACTION, "db_pool_min": 1, "db_pool_max": 12, **more},
    )
    async with open_database(settings, application="test") as db:
        yield db


async def test_what_services_do_works_with_four_connections_for_each_session(
    bouncer: TestPgBouncer, new_database
) -> None:
    direct = await new_database("point", demo=True)
    people = [new_id() for _ in range(20)]
    async with opened(bouncer.through(direct)) as db:

        async def busy(person) -> None:
            for number in range(1, 9):
                await db.execute(EARN, new_id(), person, number)
                assert await points.points_of(db, person) == number * (number + 1) // 2
                async with db.transaction() as tx:
                    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "x")
                    assert await inbox.record_handled(tx, consumer="c", event_ids=[new_id()])
                assert len(await points.points_of_many(db, people)) <= len(people)

        await asyncio.gather(*map(busy, people))
        assert await db.fetchval(SUMS) == 0
        assert await points.points_of_many(db, people) == dict.fromkeys(people, 36)
        with pytest.raises(AppError) as refused:
            await db.execute(EARN, new_id(), people[0], -1000)
        assert refused.value.code is not Code.INTERNAL_ERROR


async def test_events_leave_through_a_pooler_lane_by_lane(
    bouncer: TestPgBouncer, new_database
) -> None:
    async with opened(bouncer.through(await new_database("user"))) as db:
        for number in range(30):
            async with db.transaction() as tx:
                await publish(tx, topic="t", key=str(number), kind="k", payload=number)
        taken = 0
        while taken < 30:
            async with db.transaction() as tx:
                queries = outbox(tx)
                lanes = await queries.claim_lanes()
                rows = await queries.next_events(lanes=lanes, batch_size=7)
                assert rows
                taken += len(rows)
                await queries.remove_events(positions=[row.position for row in rows])
        assert (await outbox(db).measure_backlog()).events == 0


async def test_without_the_setting_statements_get_lost_where_the_pooler_keeps_none(
    bouncer: TestPgBouncer, new_database
) -> None:
    url = bouncer.through(await new_database("point"))
    with pytest.raises(asyncpg.PostgresError, match="unsupported startup parameter"):
        async with asyncpg.create_pool(url, server_settings={"statement_timeout": "5000"}):
            pass
    async with asyncpg.create_pool(url, min_size=8, max_size=8) as pool:
        asked = asyncio.gather(*(pool.fetchval("SELECT $1::int", n) for n in range(200)))
        if bouncer.prepares:
            assert await asked == list(range(200))
        else:
            with pytest.raises(asyncpg.PostgresError, match="prepared statement"):
                await asked


def test_a_migration_goes_past_the_pooler() -> None:
    environ = {"POINT_DATABASE_URL": "postgresql://pooler", "POINT_DATABASE_DIRECT_URL": "direct"}
    assert migrations.url_of("point", environ) == "direct"
    del environ["POINT_DATABASE_DIRECT_URL"]
    assert migrations.url_of("point", environ) == "postgresql://pooler"


async def test_the_pooler_is_restarted_among_calls_and_none_is_lost_or_counted_twice(
    postgres_server, new_database, full: Full
) -> None:
    """200 connections share 20 sessions; only calls that a restart breaks report an outage."""
    calls, clients, restarts = full(200_000, sample=3_000), full(200, sample=40), full(10, sample=1)
    direct = await new_database("point", demo=True)
    done, away, each = 0, 0, calls // clients // 2
    with pgbouncer.running(direct, servers=full(20, sample=4)) as pooler:
        sized = {"db_pool_min": clients, "db_pool_max": clients, "db_acquire_seconds": 30.0}
        async with opened(pooler.through(direct), **sized) as db:

            async def certainly(call: Callable[[], Awaitable[Any]]) -> Any:
                """Repeat a call until its outcome is known, as callers of idempotent calls can."""
                nonlocal away
                while True:
                    try:
                        return await call()
                    except DatabaseUnavailableError:
                        away += 1
                        await asyncio.sleep(0.05)
                    except UniqueViolationError:
                        return None  # it had been done before the connection broke

            async def worker() -> None:
                nonlocal done
                person = new_id()
                for balance in range(1, each + 1):
                    entry = new_id()
                    await certainly(lambda entry=entry: db.execute(EARN, entry, person, 1))
                    assert await certainly(lambda: points.points_of(db, person)) == balance
                    done += 2

            working = asyncio.gather(*(worker() for _ in range(clients)))
            for number in range(1, restarts + 1):
                while done < calls * number // (restarts + 1):
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(pooler.kill)
                await asyncio.to_thread(pooler.start)
            await working
            assert await db.fetchval(SUMS) == 0
    print(f"{done} calls, {restarts} restarts, {away} told as away and made again")
    assert done == 2 * each * clients
    assert away > 0, "the restarts fell beside the calls"
