"""Events of other services: publish them directly to their streams, and wait for their effects."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from redis.asyncio import Redis

from devstack.testing.wait import eventually
from lib.clock import utc_now
from lib.events.event import Event, dead_letters_of, stream_of
from lib.ids import new_id


async def tell(
    redis: Redis,
    topic: str,
    kind: str,
    payload: dict[str, Any],
    *,
    request: str = "",
    at: datetime | None = None,
    times: int = 2,
) -> None:
    """Publish one event, by default twice, and wait until its consumers have handled it."""
    text = msgspec.json.encode(payload).decode()
    event = Event(new_id(), topic, str(new_id()), kind, text, request, "", at or utc_now())
    stream = stream_of(topic)
    for _ in range(times):
        last = await redis.xadd(stream, event.fields())

    async def handled() -> bool:
        groups = await redis.xinfo_groups(stream)
        return any(g["last-delivered-id"] == last and not g["pending"] for g in groups)

    await eventually(handled)
    assert await redis.xlen(dead_letters_of(topic)) == 0
