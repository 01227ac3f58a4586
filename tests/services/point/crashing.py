"""The awards, killed again and again: `crashing.py DATABASE REDIS ROUNDS`."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from redis.asyncio import Redis

from lib.config import PostgresSettings
from lib.db import Database
from lib.db.postgres import open_database
from lib.events import consuming
from lib.events.streams import RedisStreams
from lib.redis import RedisOptions, open_redis
from services.point.awards import GROUP, HANDLERS


def awarding(db: Database, redis: Redis) -> AbstractAsyncContextManager[None]:
    config = SimpleNamespace(port=1, event_beliefs=lambda _: None)
    registry = CollectorRegistry()
    return consuming(config, db, RedisStreams(redis), HANDLERS, {}, group=GROUP, registry=registry)


async def work(database: str, redis: str) -> None:
    settings = PostgresSettings(_env_file=None, database_url=SecretStr(database), db_pool_min=1)
    async with (
        open_database(settings, application="test") as db,
        open_redis(RedisOptions(redis)) as client,
        awarding(db, client),
    ):
        await asyncio.Event().wait()


def main(database: str, redis: str, rounds: int) -> None:
    # Forked from a process that has imported everything, so that a round takes milliseconds.
    chance = random.Random(7)
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            asyncio.run(work(database, redis))
            os._exit(0)
        time.sleep(chance.uniform(0.05, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
