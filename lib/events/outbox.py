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
SYSTEM: Final = "system"  # the actor of an action without a caller
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

    Events of one key are in the order of their writes if the writers wait for each other. They do
    so if each writer first locks or updates the row that the events describe.

    Args:
        tx: the transaction of the change.
        topic: the name of the stream, such as `users`; a `Topic` also lists the event types.
        key: the ID of the object that the events describe, such as the user's ID.
        kind: the event type, such as `user.registered`.
        payload: any value that msgspec encodes as JSON, preferably a Struct.
    """
    event = unpublished(topic=topic, key=key, kind=kind, payload=payload)
    await write(tx, event)
    return event.id


async def publish_change(
    tx: Executor, *, topic: str, key: UUID, kind: str, changed: object
) -> None:
    """Publish a change of an object.

    The payload is the fields of `changed`, and the `actor` who made the change. See `publish` for
    the other arguments.
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
