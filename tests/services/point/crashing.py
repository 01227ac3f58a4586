"""The awards, killed repeatedly: `… DATABASE REDIS MOST` prints the number of kills.

A process is killed some CPU time after it has finished its first event. So each process makes
progress on a slow machine. Otherwise, an event that too many processes received without finishing
would count as the cause of their end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from redis.asyncio import Redis

from devstack.testing.wait import eventually
from lib.config import PostgresSettings
from lib.db import Database
from lib.db.postgres import open_database
from lib.events import consuming
from lib.events.event import stream_of
from lib.events.streams import Group, RedisStreams
from lib.redis import RedisOptions, open_redis
from services.point.awards import GROUP, HANDLERS

# The longest that a process lives after its first event, in seconds of its processor time: far
# less than all events cost.
_LONGEST = 0.04


def awarding(db: Database, redis: Redis) -> AbstractAsyncContextManager[None]:
    config = SimpleNamespace(port=1, event_beliefs=lambda _: None)
    registry = CollectorRegistry()
    return consuming(config, db, RedisStreams(redis), HANDLERS, {}, group=GROUP, registry=registry)


async def settled(redis: Redis) -> bool:
    """Return whether all events in the streams were handled."""
    for topic in HANDLERS:
        stream = stream_of(topic)
        if not await redis.exists(stream):
            continue
        newest = (await redis.xinfo_stream(stream))["last-generated-id"]
        groups = [g for g in await redis.xinfo_groups(stream) if g["name"] == GROUP.encode()]
        if not groups or groups[0]["pending"] or groups[0]["last-delivered-id"] != newest:
            return False
    return True


async def work(database: str, redis: str) -> None:
    settings = PostgresSettings(_env_file=None, database_url=SecretStr(database), db_pool_min=1)
    async with (
        open_database(settings, application="test") as db,
        open_redis(RedisOptions(redis)) as client,
        awarding(db, client),
    ):
        await eventually(lambda: settled(client))


def die_soon_after_the_first_event(seconds: float) -> None:
    acknowledge = Group.acknowledge

    async def and_die(self: Group, *entry_ids: str) -> None:
        await acknowledge(self, *entry_ids)
        if signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0):
            signal.setitimer(signal.ITIMER_PROF, seconds)

    Group.acknowledge = and_die  # type: ignore[method-assign]  # of this process alone


def main(database: str, redis: str, most: int) -> None:
    # Forked from a process that has imported everything, so that a round takes milliseconds.
    chance, killed, status = random.Random(7), 0, -signal.SIGPROF
    while status == -signal.SIGPROF:
        seconds = chance.uniform(0.001, _LONGEST)
        child = os.fork()
        if child == 0:
            if killed < most:
                die_soon_after_the_first_event(seconds)
            asyncio.run(work(database, redis))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        killed += status == -signal.SIGPROF
    print(killed)
    sys.exit(status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
