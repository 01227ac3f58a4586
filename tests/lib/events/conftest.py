"""A database with the shared tables, and streams for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from devstack.testing.wait import DEADLINE
from lib.db.postgres import PostgresDatabase
from lib.redis import RedisOptions, open_redis
from tests.conftest import NewDatabase

SCHEMA = Path(__file__).resolve().parents[3] / "sql" / "shared" / "schema"


@pytest.fixture
async def shared_database(new_database: NewDatabase) -> str:
    """The URL of a database with the outbox, the inbox and the idempotency keys."""
    return await new_database("shared", schema=SCHEMA)


@pytest.fixture
async def db(shared_database: str) -> AsyncIterator[PostgresDatabase]:
    async with asyncpg.create_pool(shared_database, min_size=1, max_size=8) as pool:
        await pool.execute("CREATE TABLE effect (key text, number int, at bigserial)")
        database = PostgresDatabase(pool, acquire_seconds=DEADLINE, open_seconds=DEADLINE)
        yield database
        await database.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with open_redis(RedisOptions(redis_url)) as client:
        yield client


@pytest.fixture
def topic() -> str:
    return f"test-{uuid4()}"
