"""Split a topic into lanes (partitions): Redis Streams that a cluster distributes over nodes.

The key of an event selects its lane, so events with the same key stay in order. All producers and
consumers of a topic must use the same number of lanes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from zlib import crc32

from lib.events.broker import Backlog, Entry, Fields
from lib.events.streams import Group, RedisStreams


class LanedStreams:
    """A broker on a Redis Cluster that splits topics into lanes. See `lib.events.broker.Broker`."""

    def __init__(self, streams: RedisStreams, lanes: int) -> None:
        self._streams = streams
        self._lanes = lanes

    async def ping(self) -> None:
        """Check that the broker responds, or raise an exception of its client library."""
        await self._streams.ping()

    async def publish(
        self, topics: Mapping[str, Sequence[Mapping[str, str]]], *, max_length: int
    ) -> None:
        """Append entries atomically per lane. `max_length` limits each lane."""
        found: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
        for topic, entries in topics.items():
            for entry in entries:
                found[lane_of(topic, entry["key"], self._lanes)].append(entry)
        await self._streams.publish(found, max_length=max_length)

    def subscription(self, topic: str, group: str, member: str) -> LanedGroup:
        """Return a member's subscription to all lanes of a topic."""
        return LanedGroup(
            [self._streams.subscription(lane, group, member) for lane in self._all(topic)]
        )

    async def dead_letters(self, topic: str, count: int) -> tuple[list[Fields], int]:
        """Return some dead letters of a topic, and their total number."""
        letters: list[Fields] = []
        total = 0
        for lane in self._all(topic):
            some, there = await self._streams.dead_letters(lane, count)
            letters, total = [*letters, *some], total + there
        return letters[:count], total

    async def redrive(self, topic: str, *, keep_seconds: float) -> tuple[int, int]:
        """Move all dead letters back. Return how many were moved and how many were too old."""
        both = [await self._streams.redrive(t, keep_seconds=keep_seconds) for t in self._all(topic)]
        return sum(back for back, _ in both), sum(old for _, old in both)

    async def length(self, topic: str) -> int:
        """Return the number of entries of a topic."""
        return await self._sum(topic, self._streams.length)

    async def trim(self, topic: str, *, keep_seconds: float) -> int:
        """Delete entries older than `keep_seconds` that every group has finished."""
        return await self._sum(topic, partial(self._streams.trim, keep_seconds=keep_seconds))

    async def trim_dead_letters(self, topic: str, *, keep_seconds: float) -> int:
        """Delete dead letters that are too old to redrive. Return how many."""
        trim = partial(self._streams.trim_dead_letters, keep_seconds=keep_seconds)
        return await self._sum(topic, trim)

    async def forget_members(self, topic: str, *, idle_seconds: float) -> int:
        """Delete from each lane the members that ended long ago. Return how many."""
        forget = partial(self._streams.forget_members, idle_seconds=idle_seconds)
        return await self._sum(topic, forget)

    def _all(self, topic: str) -> list[str]:
        return [_lane(topic, number) for number in range(self._lanes)]

    async def _sum(self, topic: str, of: Callable[[str], Awaitable[int]]) -> int:
        return sum([await of(lane) for lane in self._all(topic)])


class LanedGroup:
    """Read all lanes of a topic concurrently.

    Each lane has its own entry IDs, so the number of the lane is in the second part of an ID.
    """

    def __init__(self, lanes: Sequence[Group]) -> None:
        self._lanes = lanes
        # Reads that continue between two calls; entries that they have received must not be lost.
        self._reading: dict[int, asyncio.Task[list[Entry]]] = {}

    async def create(self) -> None:
        """Create the group in each lane. Unfinished entries stay with this member."""
        await self.close()
        for lane in self._lanes:
            await lane.create()

    async def read_new(self, count: int, block_seconds: float) -> list[Entry]:
        """Return new entries of all lanes. Wait a short time for the first entry."""
        for number, lane in enumerate(self._lanes):
            if number not in self._reading:
                reading = lane.read_new(max(1, count // len(self._lanes)), block_seconds)
                self._reading[number] = asyncio.create_task(reading)
        try:
            await asyncio.wait(self._reading.values(), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.close()
            raise
        found: list[Entry] = []
        for number in [number for number, task in self._reading.items() if task.done()]:
            found += [self._given(number, entry) for entry in self._reading.pop(number).result()]
        return found

    async def read_own_oldest(self) -> Entry | None:
        """Return the oldest entry of a lane that this member has received and not finished."""
        return await self._first(lambda lane: lane.read_own_oldest())

    async def claim_idle(self, idle_seconds: float) -> Entry | None:
        """Take over an entry that its member has not finished within `idle_seconds`."""
        return await self._first(lambda lane: lane.claim_idle(idle_seconds))

    async def acknowledge(self, *entry_ids: str) -> None:
        """Acknowledge finished entries."""
        by_lane: defaultdict[int, list[str]] = defaultdict(list)
        for entry_id in entry_ids:
            number, own = self._own(entry_id)
            by_lane[number].append(own)
        for number, ids in by_lane.items():
            await self._lanes[number].acknowledge(*ids)

    async def move_to_dead_letters(self, entry: Entry, reason: str) -> None:
        """Move an entry to the dead letters of its lane, atomically."""
        number, own = self._own(entry.id)
        await self._lanes[number].move_to_dead_letters(replace(entry, id=own), reason)

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Extend the ownership of entries in progress, so that no other member takes them."""
        by_lane: defaultdict[int, list[Entry]] = defaultdict(list)
        for entry in entries:
            number, own = self._own(entry.id)
            by_lane[number].append(replace(entry, id=own))
        for number, some in by_lane.items():
            await self._lanes[number].keep(some)

    async def uncount_delivery(self, entry: Entry) -> None:
        """Lower the delivery count of an entry by one, because its handling could not start."""
        number, own = self._own(entry.id)
        await self._lanes[number].uncount_delivery(replace(entry, id=own))

    async def backlog(self) -> Backlog:
        """Return the backlog of the group over all lanes."""
        found = [await lane.backlog() for lane in self._lanes]
        return Backlog(
            lag=sum(one.lag for one in found),
            pending=sum(one.pending for one in found),
            dead=sum(one.dead for one in found),
        )

    async def close(self) -> None:
        """Stop reading. After a restart, this member handles the entries that it had received."""
        reading, self._reading = self._reading, {}
        for task in reading.values():
            task.cancel()
        await asyncio.gather(*reading.values(), return_exceptions=True)

    async def _first(self, ask: Callable[[Group], Awaitable[Entry | None]]) -> Entry | None:
        for number, lane in enumerate(self._lanes):
            if (entry := await ask(lane)) is not None:
                return self._given(number, entry)
        return None

    def _given(self, number: int, entry: Entry) -> Entry:
        milliseconds, _, sequence = entry.id.partition("-")
        return replace(entry, id=f"{milliseconds}-{int(sequence) * len(self._lanes) + number}")

    def _own(self, entry_id: str) -> tuple[int, str]:
        milliseconds, _, sequence = entry_id.partition("-")
        own, number = divmod(int(sequence), len(self._lanes))
        return number, f"{milliseconds}-{own}"


def lane_of(topic: str, key: str, lanes: int) -> str:
    """Return the topic name of the lane for an event's `key`."""
    return _lane(topic, crc32(key.encode()) % lanes)


def _lane(topic: str, number: int) -> str:
    return f"{topic}.{number}"
