"""Traffic for tests of failing servers: people earn points and count the acknowledged points.

Each person is the only writer of their balance. So the history is linearizable if every read
returns exactly the points that were acknowledged to them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import psycopg
from pydantic import SecretStr

from lib.config import DatabaseSettings
from lib.db.errors import DatabaseUnavailableError, StatementTimeoutError, UniqueViolationError
from lib.db.postgres import PostgresDatabase, open_database
from lib.ids import new_id
from services.point import service as points

EARN = "INSERT INTO point_entry (id, user_id, amount, reason) VALUES ($1, $2, 1, 'test')"
FOUND = "SELECT id FROM point_entry"
WRONG = """
SELECT count(*) FROM point_balance AS b
WHERE balance <> (SELECT coalesce(sum(amount), 0) FROM point_entry AS e WHERE e.user_id = b.user_id)
"""
AWAY = (DatabaseUnavailableError, StatementTimeoutError)
PAUSE = 0.02


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresDatabase]:
    settings = DatabaseSettings(
        _env_file=None, database_url=SecretStr(url), db_pool_min=2, db_pool_max=8
    )
    async with open_database(settings, application="test") as db:
        yield db


class Traffic:
    """People who earn points one after the other, and remember the acknowledged ones."""

    def __init__(self, db: PostgresDatabase) -> None:
        self.db = db
        self.acknowledged: set[UUID] = set()
        self.wrong: list[tuple[int, int]] = []  # a balance that was read, and what it had to be
        self.last = time.monotonic()
        self.longest = 0.0

    async def person(self) -> None:
        me, earned = new_id(), 0
        while True:
            entry = new_id()
            while True:
                try:
                    await self.db.execute(EARN, entry, me)
                except AWAY:
                    await asyncio.sleep(PAUSE)
                    continue
                except UniqueViolationError:
                    pass  # it had been done before the connection broke
                break
            self.acknowledged.add(entry)
            now = time.monotonic()
            self.longest, self.last = max(self.longest, now - self.last), now
            earned += 1
            with suppress(*AWAY):
                if (read := await points.points_of(self.db, me)) != earned:
                    self.wrong.append((read, earned))
            await asyncio.sleep(PAUSE)

    async def goes_on(self, seconds: float = 60.0) -> None:
        """Wait until a person earns points again."""
        before = self.last
        async with asyncio.timeout(seconds):
            while self.last == before:
                await asyncio.sleep(PAUSE)


@asynccontextmanager
async def traffic(url: str) -> AsyncIterator[Traffic]:
    """Let six people earn points in the database `point` while the block runs."""
    async with opened(url) as db:
        under = Traffic(db)
        people = [asyncio.create_task(under.person()) for _ in range(6)]
        try:
            await under.goes_on()
            yield under
        finally:
            for person in people:
                person.cancel()
            await asyncio.gather(*people, return_exceptions=True)


def found(url: str) -> set[UUID]:
    """Return the stored entries, after a check that every balance is their sum."""
    with psycopg.connect(url) as connection:
        assert connection.execute(WRONG).fetchone() == (0,)
        return {row[0] for row in connection.execute(FOUND)}
