"""If a caller disconnects, the work is cancelled, including the statement in the database."""

from __future__ import annotations

import asyncio

import aiohttp
import asyncpg

from devstack.testing.wait import eventually
from tests.conftest import NewDatabase
from tests.services.running import STAFF, running_user

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'user' AND wait_event_type = 'Lock' AND state = 'active'
"""


async def test_hanging_up_cancels_the_statements_in_the_database(
    new_database: NewDatabase,
) -> None:
    url = await new_database("user", demo=True)
    locker, watcher = await asyncpg.connect(url), await asyncpg.connect(url)

    async def until_waiting(number: int) -> None:
        async def are() -> bool:
            return await watcher.fetchval(WAITING) == number

        await eventually(are)

    try:
        async with (
            running_user(url, "127.0.0.1:1") as base,
            aiohttp.ClientSession(headers=STAFF) as session,
        ):
            async with locker.transaction():
                await locker.execute("LOCK TABLE staff IN ACCESS EXCLUSIVE MODE")
                request = asyncio.create_task(session.get(f"{base}/api/v1/users"))
                await until_waiting(2)
                request.cancel()
                # The statement time-out is longer than what is waited: the hang-up has done it.
                await until_waiting(0)
            async with session.get(f"{base}/api/v1/users") as response:
                assert response.status == 200
    finally:
        await locker.close()
        await watcher.close()
