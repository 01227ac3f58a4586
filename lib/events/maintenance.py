"""Delete old stream entries and old inbox rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from lib.clock import utc_now
from lib.db import Database
from lib.events.background import repeating
from lib.events.broker import Broker
from lib.store import inbox

KEEP: Final = timedelta(days=7)
# What the inbox knows, and so what may be put back of the dead letters.
REMEMBER: Final = 2 * KEEP
_GONE: Final = timedelta(days=1)
# Rows of a statement: arrears of hours would take longer than a statement may.
_AT_ONCE: Final = 10_000


@asynccontextmanager
async def maintenance(
    db: Database,
    broker: Broker,
    topics: Collection[str],
    *,
    keep: timedelta = KEEP,
    every: timedelta = timedelta(minutes=10),
) -> AsyncIterator[None]:
    """Delete old data in the background while the block runs. `topics` are the consumed topics.

    The inbox keeps its records twice as long as the streams keep events, so it has a record of
    every event that can be delivered again. Dead letters, and members that ended more than a day
    ago, are deleted too.
    """

    async def step() -> bool:
        for topic in topics:
            await broker.trim(topic, keep_seconds=keep.total_seconds())
            await broker.trim_dead_letters(topic, keep_seconds=2 * keep.total_seconds())
            await broker.forget_members(topic, idle_seconds=_GONE.total_seconds())
        forgotten = await inbox.forget_handled(db, before=utc_now() - 2 * keep, at_most=_AT_ONCE)
        return forgotten == _AT_ONCE

    seconds = every.total_seconds()
    async with repeating(step, name="events-housekeeping", idle_seconds=seconds):
        yield
