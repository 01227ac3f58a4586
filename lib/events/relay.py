"""Relay events from the outbox to the broker: at least once, in order per key."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from lib.clock import Every
from lib.db import Database
from lib.events.background import repeating
from lib.events.broker import Broker
from lib.events.event import Event
from lib.events.signing import FIELD, EventSigner
from lib.events.store import NextEventsRow, outbox

# Some hundred bytes each: a stream that its readers have forgotten costs some hundred megabytes.
MAX_LENGTH: Final = 1_000_000
KEEP: Final = timedelta(days=7)
_TRIM_SECONDS: Final = 600.0
_MEASURE_SECONDS: Final = 10.0
_IDLE_SECONDS: Final = 0.2
_GATHER_SECONDS: Final = 0.1  # less than an idle relay waits


class Relay:
    """Publish the events of the outbox.

    Several relays may share a database: each relay locks the partition that it publishes.

    An event is deleted from the outbox after the broker has stored it. After a crash between these
    two steps, the event is published twice with the same ID, so that consumers can skip the second
    copy.

    The relay also trims the streams. It deletes entries older than `keep` that every group has
    finished (or that no group reads), and the oldest entries above `max_length` of a topic, whether
    they were read or not.
    """

    def __init__(
        self,
        db: Database,
        broker: Broker,
        *,
        batch_size: int = 100,
        keep: timedelta = KEEP,
        max_length: int = MAX_LENGTH,
        registry: CollectorRegistry | None = None,
        signer: EventSigner | None = None,
    ) -> None:
        self._db = db
        self._signer = signer
        self._registry = registry
        self._broker = broker
        self._batch_size = batch_size
        self._metrics = None if registry is None else _Metrics(registry)
        self._keep_seconds = keep.total_seconds()
        self._max_length = max_length
        self._topics: set[str] = set()
        self._measuring, self._trimming = Every(_MEASURE_SECONDS), Every(_TRIM_SECONDS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publish in the background while the block runs."""
        async with repeating(
            self._step, name="outbox-relay", idle_seconds=_IDLE_SECONDS, registry=self._registry
        ):
            yield

    async def publish_batch(self) -> int:
        """Publish the next events of all partitions (lanes) that no other relay has locked.

        Return the number of published events.

        Raises:
            AppError, or an exception of the broker's client: if the database or the broker is
                unavailable; the events stay in the outbox.
        """
        async with self._db.transaction() as tx:
            queries = outbox(tx)
            lanes = await queries.claim_lanes()
            if not lanes:
                return 0
            rows = await queries.next_events(lanes=lanes, batch_size=self._batch_size)
            await self._send([_event(row) for row in rows])
            await queries.remove_events(positions=[row.position for row in rows])
        if self._metrics is not None:
            self._metrics.published.inc(len(rows))
        return len(rows)

    async def _send(self, events: list[Event]) -> None:
        topics: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        for event in events:
            entry = event.fields()
            if self._signer is not None:
                entry[FIELD] = self._signer.sign(event)
            topics[event.topic].append(entry)
        await self._broker.publish(topics, max_length=self._max_length)
        self._topics.update(event.topic for event in events)

    async def clear_away(self) -> int:
        """Trim the streams of the published topics. Return how many entries were deleted.

        Raises:
            An exception of the broker's client, if the broker is unavailable.
        """
        return sum(
            [
                await self._broker.trim(topic, keep_seconds=self._keep_seconds)
                for topic in sorted(self._topics)
            ]
        )

    async def _step(self) -> bool:
        published = await self.publish_batch()
        if 0 < published < self._batch_size:
            # Those that come now go together: a round costs as much for one as for a hundred.
            await asyncio.sleep(_GATHER_SECONDS)
        if self._topics and self._trimming.is_due():
            await self.clear_away()
        if self._metrics is not None and self._measuring.is_due():
            await self._measure(self._metrics)
        return published > 0

    async def _measure(self, metrics: _Metrics) -> None:
        backlog = await outbox(self._db).measure_backlog()
        metrics.waiting.set(backlog.events)
        metrics.oldest.set(backlog.oldest_seconds)
        for topic in sorted(self._topics):
            metrics.length.labels(topic).set(await self._broker.length(topic))


class _Metrics:
    """Metrics of published and waiting events."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.published = Counter(
            "outbox_published_total", "Events published to the stream.", registry=registry
        )
        self.waiting = Gauge(
            "outbox_waiting_events", "Events that wait in the outbox.", registry=registry
        )
        self.oldest = Gauge(
            "outbox_oldest_seconds", "Age of the oldest waiting event.", registry=registry
        )
        self.length = Gauge(
            "events_stream_length",
            "Entries in the stream, including finished entries that are still stored.",
            ("topic",),
            registry=registry,
        )


def _event(row: NextEventsRow) -> Event:
    return Event(
        id=row.id,
        topic=row.topic,
        key=row.event_key,
        kind=row.kind,
        payload=row.payload,
        request_id=row.request_id,
        traceparent=row.traceparent,
        created_at=row.created_at,
    )
