"""Create and drop the monthly partitions of the messages, and delete old client IDs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lib.clock import Clock, utc_now
from lib.db import Executor
from lib.events.background import repeating
from lib.log import get_logger
from services.chat.store import ended_sessions, messages, partitions

log = get_logger(__name__)

MONTHS_AHEAD: Final = 3
_EVERY_SECONDS: Final = 3600.0
_AT_ONCE: Final = 5000
# Far beyond the life of an access token.
_ENDED_SESSIONS: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Keep:
    """Retention times."""

    messages: timedelta
    client_ids: timedelta


async def maintain(db: Executor, keep: Keep, *, clock: Clock = utc_now) -> None:
    """Do all maintenance tasks once. Several replicas may do them at the same time."""
    if added := await partitions.add_partitions(db, months_ahead=MONTHS_AHEAD):
        log.info("message_partitions_added", months=added)
    if dropped := await partitions.drop_partitions(db, older_than=clock() - keep.messages):
        log.info("message_partitions_dropped", months=dropped)
    # A client id outlives no message that it stands for.
    before = clock() - min(keep.client_ids, keep.messages)
    await ended_sessions.forget_ended(db, before=clock() - _ENDED_SESSIONS)
    while await messages.forget_sent(db, before=before, most=_AT_ONCE) == _AT_ONCE:
        pass


@asynccontextmanager
async def keeping(db: Executor, keep: Keep) -> AsyncIterator[None]:
    """Do maintenance now and every hour while the block runs."""

    async def step() -> bool:
        await maintain(db, keep)
        return False

    async with repeating(step, name="chat-upkeep", idle_seconds=_EVERY_SECONDS):
        yield
