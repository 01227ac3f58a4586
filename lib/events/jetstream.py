"""NATS JetStream as broker: a stream per topic, and a subject per partition (lane).

A group has one durable consumer for each lane, and one entry of a lane is in flight at a time. If
this entry is lost, it is delivered again before any later entry of its lane, to any member. So the
order of a key is guaranteed for a group with any number of members.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, TypeVar

import msgspec
from nats.aio.client import Client
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from lib.clock import utc_now
from lib.events.broker import MAX_DEAD_LETTERS, Fields, put_back
from lib.events.jetstream_lanes import Lanes
from lib.events.jetstream_names import body, dead_name, fields_of, stream_name, subject_of
from lib.nats.client import Connection, connection
from lib.nats.url import NatsAddress

T = TypeVar("T")

MAX_LENGTH: Final = 1_000_000
_ANSWER_SECONDS: Final = 2.0
# Within it the same id is stored once. What is sent again later the inbox recognizes.
_SAME_SECONDS: Final = 120.0
_PAGE: Final = 256


class JetStream:
    """A broker that stores entries in NATS JetStream. See `lib.events.broker.Broker`."""

    def __init__(self, held: Connection, *, replicas: int, ack_seconds: float) -> None:
        self._held, self._replicas = held, replicas
        # How long a member may be silent before what it works on is given away. It says so by
        # itself, a few times in that span, however long a handler takes.
        self.ack_seconds = ack_seconds
        # What streams are known to be there, and how long each may get.
        self._lengths: dict[str, int] = {}
        self._open: list[Lanes] = []

    async def ping(self) -> None:
        """Check that the broker responds, or raise an exception of its client library."""
        await (await self.context()).account_info()

    async def publish(
        self, topics: Mapping[str, Sequence[Mapping[str, str]]], *, max_length: int
    ) -> None:
        """Append entries. In a partition, each entry waits until the previous one is replicated."""
        js = await self.context()
        lanes: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
        for topic, entries in topics.items():
            await self.ensure(topic, max_length)
            for entry in entries:
                lanes[subject_of(topic, entry["key"])].append(entry)
        sent = (_send_all(js, subject, entries) for subject, entries in lanes.items())
        # All come to their end, so that nothing of this is under way when it is tried again.
        failed = [one for one in await asyncio.gather(*sent, return_exceptions=True) if one]
        if failed:
            self._lengths.clear()
            raise failed[0]

    def subscription(self, topic: str, group: str, member: str) -> Lanes:  # noqa: ARG002 - the server needs no names of members
        """Return a member's subscription to a topic."""
        lanes = Lanes(self, topic, group)
        self._open.append(lanes)
        return lanes

    async def dead_letters(self, topic: str, count: int) -> tuple[list[Fields], int]:
        """Return the first dead letters of a topic, and their total number."""
        found = await self._letters(topic, count)
        return [fields_of(one.data or b"") for one in found], await self.count(dead_name(topic))

    async def redrive(self, topic: str, *, keep_seconds: float) -> tuple[int, int]:
        """Move dead letters back to their stream: store each dead letter, then delete it."""
        js, back, old = await self.context(), 0, 0
        oldest = utc_now() - timedelta(seconds=keep_seconds)
        for one in await self._letters(topic, MAX_DEAD_LETTERS):
            if one.time is None or one.seq is None or one.time < oldest:
                old += 1
                continue
            fields = put_back(fields_of(one.data or b""))
            key = fields.get(b"key", b"").decode(errors="replace")
            # Not the event's own id: within two minutes that would be taken for the same entry.
            named = {api.Header.MSG_ID.value: f"redriven-{one.seq}"}
            await js.publish(
                subject_of(topic, key), body(fields), timeout=_ANSWER_SECONDS, headers=named
            )
            await js.delete_msg(dead_name(topic), one.seq)
            back += 1
        return back, old

    async def length(self, topic: str) -> int:
        """Return the number of entries in the stream of a topic."""
        return await self.count(stream_name(topic))

    async def trim(self, topic: str, *, keep_seconds: float) -> int:
        """Delete entries older than `keep_seconds`, except those that a group has not finished."""
        stream = stream_name(topic)
        limit = await self._first_since(stream, keep_seconds)
        for info in await self.consumers(stream):
            if info.num_ack_pending and info.ack_floor is not None:
                limit = min(limit, info.ack_floor.stream_seq + 1)
            elif info.num_pending and info.delivered is not None:
                limit = min(limit, info.delivered.stream_seq + 1)
        return await self._purge(stream, limit)

    async def trim_dead_letters(self, topic: str, *, keep_seconds: float) -> int:
        """Delete dead letters that are too old to redrive. Return how many."""
        return await self._purge(
            dead_name(topic), await self._first_since(dead_name(topic), keep_seconds)
        )

    async def forget_members(self, topic: str, *, idle_seconds: float) -> int:  # noqa: ARG002 - of the port
        """Do nothing, because the server stores nothing about members."""
        return 0

    async def context(self) -> JetStreamContext:
        """Return the JetStream context."""
        return (await self.client()).jetstream(timeout=_ANSWER_SECONDS)

    async def client(self) -> Client:
        """Return the connection."""
        return await self._held.client()

    async def ensure(self, topic: str, max_length: int | None = None) -> None:
        """Create the streams of a topic. The publisher sets the maximum length."""
        wanted = max_length or self._lengths.get(topic, MAX_LENGTH)
        if self._lengths.get(topic) == wanted:
            return
        js, length = await self.context(), wanted
        for stream, subject in (
            (stream_name(topic), f"events.{topic}.*"),
            (dead_name(topic), dead_name(topic)),
        ):
            config = api.StreamConfig(
                name=stream,
                subjects=[subject],
                num_replicas=self._replicas,
                max_msgs=length,
                discard=api.DiscardPolicy.OLD,
                duplicate_window=_SAME_SECONDS,
            )
            try:
                found = (await js.stream_info(stream)).config
            except NotFoundError:
                await js.add_stream(config)
            else:
                if max_length is not None and found.max_msgs != length:
                    found.max_msgs = length
                    await js.update_stream(found)
            length = MAX_DEAD_LETTERS
        self._lengths[topic] = wanted

    async def consumers(self, stream: str) -> list[api.ConsumerInfo]:
        """Return the consumers of a stream, of all groups."""
        js, found = await self.context(), list[api.ConsumerInfo]()
        while True:
            some = await _or_none(js.consumers_info(stream, offset=len(found))) or []
            found += some
            if len(some) < _PAGE:
                break
        return [info for info in found if info.config.durable_name]

    async def close(self) -> None:
        """Release unfinished entries, so that other members need not wait for the timeout."""
        for lanes in self._open:
            await lanes.close()

    async def _letters(self, topic: str, count: int) -> list[api.RawStreamMsg]:
        js, found, after = await self.context(), list[api.RawStreamMsg](), 0
        state = await _or_none(js.stream_info(dead_name(topic)))
        last = state.state.last_seq if state else 0
        while len(found) < count and after < last:
            try:
                one = await js.get_msg(
                    dead_name(topic), seq=after + 1, subject=dead_name(topic), next=True
                )
            except NotFoundError:
                break
            after = one.seq or last
            found.append(one)
        return [one for one in found if (one.seq or 0) <= last]

    async def count(self, stream: str) -> int:
        """Return the number of entries in a stream, or 0 if the stream does not exist."""
        info = await _or_none((await self.context()).stream_info(stream))
        return info.state.messages if info else 0

    async def _first_since(self, stream: str, seconds: float) -> int:
        """Return the sequence number of the first entry of the last `seconds` seconds.

        If there is no such entry, return the number of the next entry.
        """
        js = await self.context()
        reader = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_TIME,
            opt_start_time=utc_now() - timedelta(seconds=seconds),
            ack_policy=api.AckPolicy.NONE,
            num_replicas=1,
            mem_storage=True,
            inactive_threshold=_ANSWER_SECONDS,
        )
        info = await _or_none(js.add_consumer(stream, reader, timeout=_ANSWER_SECONDS))
        if info is None or info.delivered is None:
            return 0
        await js.delete_consumer(stream, info.name)
        return info.delivered.stream_seq + 1

    async def _purge(self, stream: str, before: int) -> int:
        info = await _or_none((js := await self.context()).stream_info(stream))
        if info is None or before <= info.state.first_seq:
            return 0
        await js.purge_stream(stream, seq=before)
        return info.state.messages - await self.count(stream)


@asynccontextmanager
async def open_jetstream(address: NatsAddress, *, name: str) -> AsyncIterator[JetStream]:
    """Yield a `JetStream` whose connection to NATS is open while the block runs."""
    async with connection(address, name=name) as held:
        broker = JetStream(held, replicas=address.replicas, ack_seconds=address.ack_seconds)
        try:
            yield broker
        finally:
            await broker.close()


async def _send_all(
    js: JetStreamContext, subject: str, entries: Sequence[Mapping[str, str]]
) -> None:
    for entry in entries:
        named = {api.Header.MSG_ID.value: entry["id"]}
        await js.publish(
            subject, msgspec.json.encode(entry), timeout=_ANSWER_SECONDS, headers=named
        )


async def _or_none(asked: Awaitable[T]) -> T | None:
    """Return the result of a request, or None if the stream does not exist."""
    try:
        return await asked
    except NotFoundError:
        return None
