"""Write events in the transaction of the change that they describe."""

from __future__ import annotations

import zlib
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from lib import context, trace
from lib.db import Executor
from lib.events.store import Unpublished, outbox
from lib.events.topic import Topic
from lib.ids import new_id

LANES: Final = 8
SYSTEM: Final = "system"  # who did what nobody had asked for just then
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode


def unpublished(*, topic: str, key: str, kind: str, payload: Any) -> Unpublished:
    """Return the outbox row of an event. The caller inserts it, for example with `write`."""
    if isinstance(topic, Topic) and kind not in topic.kinds:
        raise ValueError(f"{kind} is not an event of {topic}: declare the event in the topic")
    return Unpublished(
        id=new_id(),
        lane=lane_of(key),
        topic=str(topic),
        event_key=key,
        kind=kind,
        payload=_encode(payload).decode(),
        request_id=context.request_id.get(),
        traceparent=trace.current(),
    )


async def publish(tx: Executor, *, topic: str, key: str, kind: str, payload: Any) -> UUID:
    """Add an event to the outbox; return its id.

    Order is that of the writes of one key, provided that its writers wait for one another, as they
    do when each first locks or updates the row the events are about.

    Args:
        tx: the transaction of the change.
        topic: names the stream, such as `users`; a `Topic` says which kinds there are.
        key: what the events are about, such as the user's id.
        kind: what happened, such as `user.registered`.
        payload: anything msgspec encodes to JSON; a Struct by preference.
    """
    event = unpublished(topic=topic, key=key, kind=kind, payload=payload)
    await write(tx, event)
    return event.id


async def publish_change(
    tx: Executor, *, topic: str, key: UUID, kind: str, changed: object
) -> None:
    """Publish a change of an object: the fields, and the `actor` who made the change.

    See `publish`.
    """
    if not isinstance(changed, msgspec.Struct):
        raise TypeError(f"{type(changed).__name__} has no fields to publish")
    payload = asdict(changed) | {"actor": context.principal.get() or SYSTEM}
    await publish(tx, topic=topic, key=str(key), kind=kind, payload=payload)


async def write(tx: Executor, *events: Unpublished) -> None:
    """Add events made by `unpublished` to the outbox, with at most one statement. See `publish`."""
    match events:
        case (event,):
            await outbox(tx).add_event(**asdict(event))
        case _:
            await outbox(tx).add_events(events)


def lane_of(key: str) -> int:
    """Return the lane (partition) of a key. All processes and releases compute the same number."""
    return zlib.crc32(key.encode()) % LANES
