"""Lock every account, so that requests wait for one another in a known order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from devstack.testing.wait import eventually


@asynccontextmanager
async def held(db: asyncpg.Connection) -> AsyncIterator[None]:
    """Lock the rows of all accounts while the block runs."""
    async with db.transaction():
        await db.execute("SELECT FROM account FOR UPDATE")
        yield


async def until_waiting(db: asyncpg.Connection, count: int) -> None:
    """Return when `count` connections wait for a lock."""

    async def are_waiting() -> bool:
        return await _waiting(db) >= count

    await eventually(are_waiting)


async def until_none_waits(db: asyncpg.Connection) -> None:
    """Return when no connection waits for a lock."""

    async def is_none() -> bool:
        return await _waiting(db) == 0

    await eventually(is_none)


async def _waiting(db: asyncpg.Connection) -> int:
    await db.execute("SELECT pg_stat_clear_snapshot()")
    return await db.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
