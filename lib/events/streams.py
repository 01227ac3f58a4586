"""One topic's Redis Stream as one member of a consumer group sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from lib.events.event import dead_letters_of, stream_of

_FROM_THE_START: Final = "0"
# The first possible id; as the answer of XAUTOCLAIM: all was looked at.
_FIRST: Final = b"0-0"
_REDRIVE: Final = 1000
# Letters of a topic that are kept at most, the newest: one event in each of them is looked at.
MAX_DEAD_LETTERS: Final = 10_000
# The field of an entry that says which group it was put back for.
_FOR_GROUP: Final = b"for_group"


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivered entry; `deliveries` counts this one."""

    id: str
    fields: Mapping[bytes, bytes]
    deliveries: int

    def is_for(self, group: str) -> bool:
        """Whether the group is meant: a redriven dead letter is for the one that failed."""
        return self.fields.get(_FOR_GROUP, group.encode()) == group.encode()


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far behind a group is: not delivered, not finished, given up."""

    lag: int
    pending: int
    dead: int


class Group:
    """Reads, claims, acknowledges and buries entries of one stream."""

    def __init__(self, redis: Redis, topic: str, group: str, member: str) -> None:
        self._redis = redis
        self._topic = topic
        self._stream = stream_of(topic)
        self._group = group
        self._member = member

    async def create(self) -> None:
        """Create the group where there is none; it begins with the oldest entry still kept."""
        try:
            await self._redis.xgroup_create(
                self._stream, self._group, id=_FROM_THE_START, mkstream=True
            )
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def read_new(self, count: int, block_seconds: float) -> list[Entry]:
        """Return entries that no member has been given, waiting a moment for the first.

        The wait must be shorter than the connection's time-out.
        """
        block = max(1, int(block_seconds * 1000))
        return [Entry(*entry, deliveries=1) for entry in await self._read(">", count, block)]

    async def read_own_oldest(self) -> Entry | None:
        """Return the oldest entry that this member was given and has not finished."""
        for entry_id, fields in await self._read(_FROM_THE_START, 1, None):
            if fields is None:  # trimmed from the stream meanwhile: nothing is left to handle
                await self.acknowledge(entry_id)
                return await self.read_own_oldest()
            return Entry(entry_id, fields, await self._deliveries(entry_id))
        return None

    async def claim_idle(self, idle_seconds: float) -> Entry | None:
        """Take over the oldest entry that its member has not finished for this long."""
        idle, after = int(idle_seconds * 1000), _FIRST
        while True:
            # One call looks at some entries only and says where it stopped: those that others are
            # busy with may stand before the one that nobody is.
            after, entries, *_ = await self._redis.xautoclaim(
                self._stream, self._group, self._member, idle, start_id=after, count=1
            )
            for raw_id, fields in entries:
                entry_id = raw_id.decode()
                return Entry(entry_id, fields, await self._deliveries(entry_id))
            if after == _FIRST:
                return None

    async def acknowledge(self, *entry_ids: str) -> None:
        """Say that entries are finished."""
        await self._redis.xack(self._stream, self._group, *entry_ids)

    async def move_to_dead_letters(self, entry: Entry, reason: str) -> None:
        """Move an entry to the dead letters, in one step: it is in one of the two places."""
        letter: dict[Any, Any] = {
            **entry.fields,
            b"dead_group": self._group,
            b"dead_reason": reason[:1000],
            b"dead_deliveries": entry.deliveries,
        }
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.xadd(
            dead_letters_of(self._topic), letter, maxlen=MAX_DEAD_LETTERS, approximate=False
        )
        pipeline.xack(self._stream, self._group, entry.id)
        await pipeline.execute()

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Say that these are still being worked on, so that nobody takes them over."""
        if entries:
            ids: Any = [entry.id for entry in entries]
            await self._redis.xclaim(
                self._stream,
                self._group,
                self._member,
                min_idle_time=0,
                message_ids=ids,
                justid=True,
            )

    async def uncount_delivery(self, entry: Entry) -> None:
        """Do not count the delivery of an entry whose handling could not even be tried."""
        await self._redis.xclaim(
            self._stream,
            self._group,
            self._member,
            min_idle_time=0,
            message_ids=[entry.id],
            retrycount=entry.deliveries - 1,
            justid=True,
        )

    async def backlog(self) -> Backlog:
        """Measure how far behind the group is."""
        groups = await self._redis.xinfo_groups(self._stream)
        mine = next(info for info in groups if info["name"] == self._group.encode())
        dead = await self._redis.xlen(dead_letters_of(self._topic))
        return Backlog(lag=int(mine.get("lag") or 0), pending=int(mine["pending"]), dead=int(dead))

    async def _deliveries(self, entry_id: str) -> int:
        found = await self._redis.xpending_range(
            self._stream, self._group, min=entry_id, max=entry_id, count=1
        )
        return int(found[0]["times_delivered"]) if found else 1

    async def _read(
        self, after: str, count: int, block: int | None
    ) -> list[tuple[str, Mapping[bytes, bytes]]]:
        answer: Any = await self._redis.xreadgroup(
            self._group, self._member, {self._stream: after}, count=count, block=block
        )
        return [(raw_id.decode(), fields) for _, entries in answer for raw_id, fields in entries]


async def redrive(redis: Redis, topic: str, *, keep_seconds: float) -> tuple[int, int]:
    """Put the dead letters there are back into their stream. For a person to call.

    Each is for the group that failed; others pass it over. Those older than `keep_seconds` stay:
    the inbox may have forgotten what it did about them. What fails again meanwhile stays as
    well: it would go round for ever.

    Returns:
        How many were put back, and how many stay because of their age.
    """
    letters, back = dead_letters_of(topic), 0
    seconds, _ = await redis.time()
    oldest = max(1, int((seconds - keep_seconds) * 1000))
    some: Any = await redis.xrevrange(letters, count=1)
    last = some[0][0] if some else b"-"
    while some := await redis.xrange(letters, min=str(oldest), max=last, count=_REDRIVE):
        for letter_id, fields in some:
            await _put_back(redis, topic, letter_id, fields)
        back += len(some)
    old: Any = await redis.xrange(letters, max=str(oldest - 1), count=MAX_DEAD_LETTERS)
    return back, len(old)


async def _put_back(redis: Redis, topic: str, letter_id: Any, fields: Any) -> None:
    entry: dict[Any, Any] = {
        name: value for name, value in fields.items() if not name.startswith(b"dead_")
    }
    if b"dead_group" in fields:
        entry[_FOR_GROUP] = fields[b"dead_group"]
    pipeline = redis.pipeline(transaction=True)
    pipeline.xadd(stream_of(topic), entry)
    pipeline.xdel(dead_letters_of(topic), letter_id)
    await pipeline.execute()


async def forget_members(redis: Redis, topic: str, *, idle_seconds: float) -> int:
    """Remove members that ended long ago and left nothing unfinished; return how many.

    A pod has a new name each time: its old one is never heard of again.
    """
    stream, gone = stream_of(topic), 0
    if not await redis.exists(stream):
        return 0
    for group in await redis.xinfo_groups(stream):
        for member in await redis.xinfo_consumers(stream, group["name"]):
            if not member["pending"] and member["idle"] > idle_seconds * 1000:
                await redis.xgroup_delconsumer(stream, group["name"], member["name"])
                gone += 1
    return gone


async def trim_dead_letters(redis: Redis, topic: str, *, keep_seconds: float) -> int:
    """Remove dead letters that are too old to be put back; return how many."""
    seconds, _ = await redis.time()
    oldest = max(0, int((seconds - keep_seconds) * 1000))
    return int(await redis.xtrim(dead_letters_of(topic), minid=f"{oldest}-0", approximate=False))


async def length(redis: Redis, topic: str) -> int:
    """Return how many entries the stream of a topic has."""
    return int(await redis.xlen(stream_of(topic)))


async def trim(redis: Redis, topic: str, *, keep_seconds: float) -> int:
    """Remove entries that every group has finished and that are older than `keep_seconds`.

    Where nobody reads, age alone decides: whoever begins later begins with what is kept.
    """
    stream = stream_of(topic)
    if not await redis.exists(stream):
        return 0
    groups = await redis.xinfo_groups(stream)
    seconds, _ = await redis.time()
    limits = [(int((seconds - keep_seconds) * 1000), 0)]
    for group in groups:
        limits.append(_parts(group["last-delivered-id"]))
        pending = await redis.xpending(stream, group["name"])
        if pending["pending"]:
            limits.append(_parts(pending["min"]))
    milliseconds, sequence = min(limits)
    oldest = f"{max(0, milliseconds)}-{sequence}"
    return int(await redis.xtrim(stream, minid=oldest, approximate=False))


def _parts(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.decode().partition("-")
    return int(milliseconds), int(sequence)
