# Generated from sql/shared/outbox.sql by `aiosqlc generate -f sql/shared/sqlc.yaml`. Do not edit.
"""The queries of outbox.sql."""

from collections.abc import Sequence
from datetime import datetime
from itertools import starmap
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor

ADD_EVENT: Final = """\
INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def add_event(
    db: Executor,
    *,
    id: UUID,
    lane: int,
    topic: str,
    event_key: str,
    kind: str,
    payload: str,
    request_id: str,
    traceparent: str,
) -> None:
    """Events on their way out: written with the change they tell of, published afterwards, then removed."""
    await db.execute(ADD_EVENT, id, lane, topic, event_key, kind, payload, request_id, traceparent)


CLAIM_LANE: Final = """\
UPDATE outbox_lane SET served_at = clock_timestamp()
WHERE id = (
    SELECT waiting.id
    FROM outbox_lane AS waiting
    WHERE EXISTS (SELECT FROM outbox WHERE outbox.lane = waiting.id)
    ORDER BY waiting.served_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


async def claim_lane(db: Executor) -> int | None:
    """Lock the lane with events that has waited longest and that nobody else serves."""
    value: int | None = await db.fetchval(CLAIM_LANE)
    return value


NEXT_EVENTS: Final = """\
SELECT position, id, topic, event_key, kind, payload, request_id, traceparent, created_at
FROM outbox
WHERE lane = $1
ORDER BY position
LIMIT $2
"""


class NextEventsRow(msgspec.Struct, frozen=True, gc=False):
    position: int
    id: UUID
    topic: str
    event_key: str
    kind: str
    payload: str
    request_id: str
    traceparent: str
    created_at: datetime


async def next_events(db: Executor, *, lane: int, batch_size: int) -> list[NextEventsRow]:
    rows = await db.fetch(NEXT_EVENTS, lane, batch_size)
    return list(starmap(NextEventsRow, rows))


REMOVE_EVENTS: Final = "DELETE FROM outbox WHERE position = ANY ($1::bigint[])"


async def remove_events(db: Executor, *, positions: Sequence[int]) -> int:
    """By name, not up to a position: a transaction that began earlier may commit a lower one later."""
    status = await db.execute(REMOVE_EVENTS, positions)
    return int(status.rpartition(" ")[2])


MEASURE_BACKLOG: Final = """\
SELECT
    count(*) AS events,
    coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision AS oldest_seconds
FROM outbox
"""


class MeasureBacklogRow(msgspec.Struct, frozen=True, gc=False):
    events: int
    oldest_seconds: float


async def measure_backlog(db: Executor) -> MeasureBacklogRow:
    """How many events wait, and for how long the oldest has."""
    (row,) = await db.fetch(MEASURE_BACKLOG)
    return MeasureBacklogRow(*row)
