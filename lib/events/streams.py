"""Redis Streams as broker: a stream per topic, and a stream for its dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from lib.events.broker import MAX_DEAD_LETTERS, Backlog, Entry, Fields, dead_letter, put_back
from lib.events.event import dead_letters_of, stream_of
from lib.redis import ReplicatedWriter, ping
from lib.redis.replicated import Command

_FROM_THE_START: Final = "0"
# The first possible id; as the answer of XAUTOCLAIM: all was looked at.
_FIRST: Final = b"0-0"
_REDRIVE: Final = 1000


class RedisStreams:
    """A broker that stores entries in Redis Streams. See `lib.events.broker.Broker`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._writer = ReplicatedWriter(redis)

    async def ping(self) -> None:
        """Check that the broker responds, or raise an exception of its client library."""
        await ping(self._redis)

    async def publish(
        self, topics: Mapping[str, Sequence[Mapping[str, str]]], *, max_length: int
    ) -> None:
        """Append entries, atomically per topic. Wait for the required replicas."""
        commands: dict[str, list[Command]] = {}
        for topic, entries in topics.items():
            # Approximately: Redis drops whole nodes, which costs next to nothing.
            add = ("XADD", stream_of(topic), "MAXLEN", "~", max_length, "*")
            commands[stream_of(topic)] = [
                (*add, *chain.from_iterable(entry.items())) for entry in entries
            ]
        await self._writer.write(commands)

    def subscription(self, topic: str, group: str, member: str) -> Group:
        """Return a member's subscription to a topic."""
        return Group(self._redis, topic, group, member)

    async def dead_letters(self, topic: str, count: int) -> tuple[list[Fields], int]:
        """Return the first dead letters of a topic, and their total number."""
        letters: Any = await self._redis.xrange(dead_letters_of(topic), count=count)
        return [fields for _, fields in letters], await self._redis.xlen(dead_letters_of(topic))

    async def length(self, topic: str) -> int:
        """Return the number of entries in the stream of a topic."""
        return int(await self._redis.xlen(stream_of(topic)))

    async def redrive(self, topic: str, *, keep_seconds: float) -> tuple[int, int]:
        """Move all dead letters back to their stream. Only operators call this method.

        Only the group that failed handles a redriven entry; other groups skip it. Dead letters
        older than `keep_seconds` stay, because the inbox may have deleted its record of them. Those
        that fail again during this call stay too; otherwise the call might never end.

        Returns:
            The number of moved dead letters, and the number of dead letters that stay because of
                their age.
        """
        letters, back = dead_letters_of(topic), 0
        seconds, _ = await self._redis.time()
        oldest = max(1, int((seconds - keep_seconds) * 1000))
        some: Any = await self._redis.xrevrange(letters, count=1)
        last = some[0][0] if some else b"-"
        while some := await self._redis.xrange(letters, min=str(oldest), max=last, count=_REDRIVE):
            for letter_id, fields in some:
                await self._put_back(topic, letter_id, fields)
            back += len(some)
        old: Any = await self._redis.xrange(letters, max=str(oldest - 1), count=MAX_DEAD_LETTERS)
        return back, len(old)

    async def _put_back(self, topic: str, letter_id: Any, fields: Any) -> None:
        entry: dict[Any, Any] = put_back(fields)
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.xadd(stream_of(topic), entry)
        pipeline.xdel(dead_letters_of(topic), letter_id)
        await pipeline.execute()

    async def forget_members(self, topic: str, *, idle_seconds: float) -> int:
        """Delete members that ended long ago and have no unfinished entries. Return how many.

        Each new pod has a new name, so the member with the old name never returns.
        """
        stream, gone = stream_of(topic), 0
        if not await self._redis.exists(stream):
            return 0
        for group in await self._redis.xinfo_groups(stream):
            for member in await self._redis.xinfo_consumers(stream, group["name"]):
                if not member["pending"] and member["idle"] > idle_seconds * 1000:
                    await self._redis.xgroup_delconsumer(stream, group["name"], member["name"])
                    gone += 1
        return gone

    async def trim_dead_letters(self, topic: str, *, keep_seconds: float) -> int:
        """Delete dead letters that are too old to redrive. Return how many."""
        seconds, _ = await self._redis.time()
        oldest = max(0, int((seconds - keep_seconds) * 1000))
        return int(
            await self._redis.xtrim(dead_letters_of(topic), minid=f"{oldest}-0", approximate=False)
        )

    async def trim(self, topic: str, *, keep_seconds: float) -> int:
        """Delete entries older than `keep_seconds` that every group has finished.

        If no group reads the topic, only the age counts: a new group starts with the stored
        entries.
        """
        stream = stream_of(topic)
        if not await self._redis.exists(stream):
            return 0
        groups = await self._redis.xinfo_groups(stream)
        seconds, _ = await self._redis.time()
        limits = [(int((seconds - keep_seconds) * 1000), 0)]
        for group in groups:
            limits.append(_parts(group["last-delivered-id"]))
            pending = await self._redis.xpending(stream, group["name"])
            if pending["pending"]:
                limits.append(_parts(pending["min"]))
        milliseconds, sequence = min(limits)
        oldest = f"{max(0, milliseconds)}-{sequence}"
        return int(await self._redis.xtrim(stream, minid=oldest, approximate=False))


class Group:
    """Read, claim, acknowledge and dead-letter entries of one stream."""

    def __init__(self, redis: Redis, topic: str, group: str, member: str) -> None:
        self._redis = redis
        self._topic = topic
        self._stream = stream_of(topic)
        self._group = group
        self._member = member

    async def create(self) -> None:
        """Create the group if it does not exist. The group starts with the oldest stored entry."""
        try:
            await self._redis.xgroup_create(
                self._stream, self._group, id=_FROM_THE_START, mkstream=True
            )
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def read_new(self, count: int, block_seconds: float) -> list[Entry]:
        """Return undelivered entries. Wait a short time for the first entry.

        The wait must be shorter than the time-out of the connection.
        """
        block = max(1, int(block_seconds * 1000))
        return [Entry(*entry, deliveries=1) for entry in await self._read(">", count, block)]

    async def read_own_oldest(self) -> Entry | None:
        """Return the oldest entry that this member has received and not finished."""
        for entry_id, fields in await self._read(_FROM_THE_START, 1, None):
            if fields is None:  # trimmed from the stream meanwhile: nothing is left to handle
                await self.acknowledge(entry_id)
                return await self.read_own_oldest()
            return Entry(entry_id, fields, await self._deliveries(entry_id))
        return None

    async def claim_idle(self, idle_seconds: float) -> Entry | None:
        """Take over the oldest entry that its member has not finished within `idle_seconds`."""
        idle, after = int(idle_seconds * 1000), _FIRST
        while True:
            # One call looks at some entries only, and returns where it stopped. Entries that other
            # members handle may precede the first free entry.
            after, entries, *_ = await self._redis.xautoclaim(
                self._stream, self._group, self._member, idle, start_id=after, count=1
            )
            for raw_id, fields in entries:
                entry_id = raw_id.decode()
                return Entry(entry_id, fields, await self._deliveries(entry_id))
            if after == _FIRST:
                return None

    async def acknowledge(self, *entry_ids: str) -> None:
        """Acknowledge finished entries."""
        await self._redis.xack(self._stream, self._group, *entry_ids)

    async def move_to_dead_letters(self, entry: Entry, reason: str) -> None:
        """Move an entry to the dead letters, atomically."""
        fields: dict[Any, Any] = dead_letter(entry, self._group, reason)
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.xadd(
            dead_letters_of(self._topic), fields, maxlen=MAX_DEAD_LETTERS, approximate=False
        )
        pipeline.xack(self._stream, self._group, entry.id)
        await pipeline.execute()

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Extend the ownership of entries in progress, so that no other member takes them."""
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
        """Lower the delivery count of an entry by one, because its handling could not start."""
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
        """Return the backlog of the group."""
        groups = await self._redis.xinfo_groups(self._stream)
        mine = next(info for info in groups if info["name"] == self._group.encode())
        dead = await self._redis.xlen(dead_letters_of(self._topic))
        return Backlog(lag=int(mine.get("lag") or 0), pending=int(mine["pending"]), dead=int(dead))

    async def close(self) -> None:
        """Do nothing. A member that restarts under the same name gets its unfinished entries."""

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


def _parts(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.decode().partition("-")
    return int(milliseconds), int(sequence)
