"""Write events beside the change they tell of: both are committed, or neither."""

from __future__ import annotations

import zlib
from typing import Any, Final
from uuid import UUID

import msgspec

from lib import context, trace
from lib.db import Executor
from lib.events.store import outbox
from lib.ids import new_id

LANES: Final = 8
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode


async def publish(tx: Executor, *, topic: str, key: str, kind: str, payload: Any) -> UUID:
    """Add an event to the outbox; return its id.

    Order is that of the writes of one key, provided that its writers wait for one another, as they
    do when each first locks or updates the row the events are about.

    Args:
        tx: the transaction of the change.
        topic: names the stream, such as `users`.
        key: what the events are about, such as the user's id.
        kind: what happened, such as `user.registered`.
        payload: anything msgspec encodes to JSON; a Struct by preference.
    """
    event_id = new_id()
    await outbox(tx).add_event(
        id=event_id,
        lane=lane_of(key),
        topic=topic,
        event_key=key,
        kind=kind,
        payload=_encode(payload).decode(),
        request_id=context.request_id.get(),
        traceparent=trace.current(),
    )
    return event_id


def lane_of(key: str) -> int:
    """Return the lane of a key: the same in every process and release."""
    return zlib.crc32(key.encode()) % LANES
