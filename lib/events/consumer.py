"""Apply each event exactly once: record its ID in the transaction that applies the event."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry

from lib import context, trace
from lib.clock import Every
from lib.db import Database, Executor
from lib.errors import AppError, Code
from lib.events.background import repeating
from lib.events.broker import Broker, Entry, Subscription
from lib.events.event import Event, MalformedEventError
from lib.events.metrics import ConsumerMetrics
from lib.events.signing import TrustedProducers, UntrustedEventError
from lib.log import get_logger
from lib.store import inbox

log = get_logger(__name__)

# Does the work of one event inside the transaction given; what it does elsewhere may happen twice.
Handler: TypeAlias = Callable[[Executor, Event], Awaitable[None]]
_MEASURE_SECONDS: Final = 10.0
_AWAY: Final = frozenset({Code.SERVICE_UNAVAILABLE, Code.CIRCUIT_OPEN})


class Outcome(StrEnum):
    """The result of a delivery, used as label of `events_handled_total`."""

    HANDLED = "handled"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class ConsumerPolicy:
    """The retry policy of a consumer. Times are in seconds."""

    # Attempts of one delivery, in place, so that later events of the key do not overtake.
    attempts: int = 3
    retry_wait: float = 0.2
    # Deliveries in all: an event that brings the process down does so this often.
    deliveries: int = 10
    handle_seconds: float = 10.0
    # How long another consumer may be silent before its events are taken over. Longer than
    # all attempts together, or a slow one is taken for a dead one (harmless, but wasted).
    take_over_seconds: float = 60.0
    batch: int = 20
    block_seconds: float = 0.25


class Consumer:
    """A member of a consumer group. A member with the same `name` resumes after a restart.

    If a group has several active members, two members may handle events of one key at the same
    time. The order of a key is guaranteed only for a group with one active member at a time.
    """

    def __init__(
        self,
        db: Database,
        broker: Broker,
        *,
        group: str,
        name: str,
        handlers: Mapping[str, Mapping[str, Handler]],
        policy: ConsumerPolicy = ConsumerPolicy(),
        registry: CollectorRegistry | None = None,
        beliefs: TrustedProducers | None = None,
    ) -> None:
        """Create a consumer with `handlers` by topic, then by event type.

        Events of other types are skipped.

        With `beliefs`, an event becomes a dead letter if the producer of its topic has not signed
        it.

        Raises:
            ValueError: if a topic has no trusted producer.
        """
        if beliefs is not None and (nobodys := handlers.keys() - beliefs.producers.keys()):
            raise ValueError(f"topics without a known producer: {', '.join(sorted(nobodys))}")
        self._beliefs = beliefs
        self._db = db
        self._registry = registry
        self._group = group
        self._handlers = handlers
        self._policy = policy
        self._streams = {topic: broker.subscription(topic, group, name) for topic in handlers}
        self._metrics = None if registry is None else ConsumerMetrics(registry, group)
        self._measuring = Every(_MEASURE_SECONDS)
        self._taking_over = Every(policy.take_over_seconds / 4)
        self._resumed = False
        self._was_busy = False
        self._is_leaving = False
        self._waiting = asyncio.timeout(None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Handle events in the background while the block runs."""
        async with repeating(
            self.step, name=f"consumer-{self._group}", idle_seconds=0.01, registry=self._registry
        ):
            self._is_leaving = False
            try:
                yield
            finally:
                self._leave()
        await self.close()

    async def close(self) -> None:
        """Stop reading and release unfinished events."""
        for subscription in self._streams.values():
            await subscription.close()

    async def step(self) -> bool:
        """Handle available events, starting with unfinished events.

        Return whether there were any events.

        Raises:
            AppError, or an exception of the broker's client: if the database or the broker is
                unavailable; the events stay pending.
        """
        if not self._resumed:
            await self._resume()
        # Whatever goes wrong below leaves events that are ours and unhandled: begin with those.
        self._resumed = False
        worked, found = await self._take_over(), False
        for topic, group in self._streams.items():
            entries = await self._read_new(group, is_busy=found or self._was_busy)
            found = found or bool(entries)
            await self._deliver_all(topic, entries)
        self._was_busy = found and len(self._streams) > 1
        if self._is_leaving:
            await self._resume()  # what we were given just when we hung up
        await self._measure()
        self._resumed = True
        return worked or found

    def _leave(self) -> None:
        """Cancel pending reads."""
        self._is_leaving = True
        with suppress(RuntimeError):  # no read is pending
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def _read_new(self, group: Subscription, *, is_busy: bool) -> list[Entry]:
        """Read available entries. If no topic has entries, wait a short time."""
        if self._is_leaving:
            return []
        try:
            async with asyncio.timeout(None) as self._waiting:
                seconds = 0.0 if is_busy else self._policy.block_seconds / len(self._streams)
                return await group.read_new(self._policy.batch, seconds)
        except TimeoutError:
            if not self._is_leaving:
                raise
            return []

    async def _resume(self) -> None:
        """Handle the unfinished entries of an earlier run one by one.

        This isolates the event that fails.
        """
        for topic, group in self._streams.items():
            await group.create()
            while entry := await group.read_own_oldest():
                await self._deliver(topic, entry)

    async def _take_over(self) -> bool:
        """Handle the entries of members whose process has ended, if a check is due."""
        if not self._taking_over.is_due():
            return False
        worked = False
        for topic, group in self._streams.items():
            while entry := await group.claim_idle(self._policy.take_over_seconds):
                worked = True
                await self._deliver(topic, entry)
        return worked

    async def _deliver_all(self, topic: str, entries: Sequence[Entry]) -> None:
        """Deliver a batch in one transaction, or one by one after a failure.

        Events that wait for earlier events of their key stay pending for this member.
        """
        keeping = Every(self._policy.take_over_seconds / 4)
        keeping.is_due()  # They have just been given to us.
        if len(entries) > 1 and await self._deliver_together(topic, entries):
            return
        for at, entry in enumerate(entries):
            if keeping.is_due():
                await self._streams[topic].keep(entries[at:])
            await self._deliver(topic, entry)

    async def _deliver_together(self, topic: str, entries: Sequence[Entry]) -> bool:
        """Handle a batch in one transaction. Return False if it must be handled one by one."""
        began, outcomes = time.perf_counter(), []
        if any(entry.deliveries > 1 for entry in entries):
            return False
        try:
            async with (
                asyncio.timeout(self._policy.handle_seconds),
                self._db.transaction() as tx,
            ):
                accepted = [self._accepted(topic, entry) for entry in entries]
                new = await self._record(tx, [one[0] for one in accepted if one is not None])
                for one in accepted:
                    if one is None:
                        outcomes.append(Outcome.IGNORED)
                        continue
                    event, handler = one
                    with _hearing(event):
                        outcomes.append(await self._in(tx, event, handler, new))
        except Exception as error:  # noqa: BLE001 - which of them it was shows itself one by one
            log.debug("batch_failed", topic=topic, error=error)
            return False
        await self._streams[topic].acknowledge(*(entry.id for entry in entries))
        if self._metrics is not None:
            each = (time.perf_counter() - began) / len(entries)
            for outcome in outcomes:
                self._metrics.observe(topic, outcome, each)
        return True

    def _accepted(self, topic: str, entry: Entry) -> tuple[Event, Handler] | None:
        """Return the event and its handler, or None if the event is not for this group."""
        event = Event.from_fields(entry.fields)
        handler = self._handlers[topic].get(event.kind)
        if handler is None or not entry.is_for(self._group):
            return None
        self._require_trust(topic, entry, event)
        return event, handler

    async def _deliver(self, topic: str, entry: Entry) -> None:
        group, began = self._streams[topic], time.perf_counter()
        try:
            outcome = await self._outcome(topic, entry)
        except Exception:
            # A dependency is unavailable. This delivery does not count against the event.
            await group.uncount_delivery(entry)
            raise
        if outcome is not Outcome.DEAD:
            await group.acknowledge(entry.id)
        if self._metrics is not None:
            self._metrics.observe(topic, outcome, time.perf_counter() - began)

    async def _outcome(self, topic: str, entry: Entry) -> Outcome:
        if not entry.is_for(self._group):
            return Outcome.IGNORED
        if entry.deliveries > self._policy.deliveries:
            return await self._move_to_dead_letters(topic, entry, "delivered too often")
        try:
            event = Event.from_fields(entry.fields)
        except MalformedEventError as error:
            return await self._move_to_dead_letters(topic, entry, f"malformed: {error}")
        handler = self._handlers[topic].get(event.kind)
        if handler is None:
            return Outcome.IGNORED
        try:
            self._require_trust(topic, entry, event)
        except UntrustedEventError as error:
            return await self._move_to_dead_letters(topic, entry, f"not believed: {error}")
        with _hearing(event):
            return await self._handle(topic, entry, event, handler)

    def _require_trust(self, topic: str, entry: Entry, event: Event) -> None:
        """Raise UntrustedEventError unless the producer of the topic has signed the event."""
        if self._beliefs is not None:
            self._beliefs.check(topic, entry.id, entry.fields, event)

    async def _handle(self, topic: str, entry: Entry, event: Event, handler: Handler) -> Outcome:
        for attempt in range(1, self._policy.attempts + 1):
            try:
                async with asyncio.timeout(self._policy.handle_seconds):
                    return await self._once(event, handler)
            except Exception as error:
                if isinstance(error, AppError) and error.code in _AWAY:
                    raise
                log.warning("event_failed", attempt=attempt, exc_info=error)
                reason = repr(error)
            if attempt < self._policy.attempts:
                # Spread, so that members that met at one row do not meet there again.
                spread = random.uniform(0.5, 1.5)  # noqa: S311 - a wait, not a secret
                await asyncio.sleep(self._policy.retry_wait * 2 ** (attempt - 1) * spread)
        return await self._move_to_dead_letters(topic, entry, reason)

    async def _once(self, event: Event, handler: Handler) -> Outcome:
        async with self._db.transaction() as tx:
            return await self._in(tx, event, handler, await self._record(tx, [event]))

    async def _record(self, tx: Executor, events: Sequence[Event]) -> set[UUID]:
        """Record in the inbox that the events are handled. Return the ids of the new events."""
        if not events:
            return set()
        ids = [event.id for event in events]
        return set(await inbox.record_handled(tx, consumer=self._group, event_ids=ids))

    async def _in(self, tx: Executor, event: Event, handler: Handler, new: set[UUID]) -> Outcome:
        if event.id not in new:
            return Outcome.DUPLICATE
        new.remove(event.id)  # a batch may have it twice
        await handler(tx, event)
        return Outcome.HANDLED

    async def _move_to_dead_letters(self, topic: str, entry: Entry, reason: str) -> Outcome:
        log.error("event_dead", topic=topic, entry=entry.id, reason=reason)
        await self._streams[topic].move_to_dead_letters(entry, reason)
        return Outcome.DEAD

    async def _measure(self) -> None:
        if self._metrics is not None and self._measuring.is_due():
            for topic, group in self._streams.items():
                self._metrics.measure(topic, await group.backlog())


@contextmanager
def _hearing(event: Event) -> Iterator[None]:
    """Add the event, and the request that caused it, to the log lines and traces of a block."""
    with (
        structlog.contextvars.bound_contextvars(event_id=str(event.id), event_kind=event.kind),
        trace.span(
            f"handle {event.kind}", trace.Kind.CONSUMER, parent={trace.HEADER: event.traceparent}
        ),
    ):
        context.request_id.set(event.request_id)
        yield
