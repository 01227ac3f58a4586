"""The interface of a message broker. Each broker has an adapter.

The adapters are `streams.RedisStreams` and `jetstream.JetStream`. The same test suite checks both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

# What an entry holds: the fields of an event, its signature, and what a redriven one adds.
Fields: TypeAlias = Mapping[bytes, bytes]

# The field of an entry that says which group it was put back for.
FOR_GROUP: Final = b"for_group"
# The maximum number of dead letters of a topic; the newest are stored.
MAX_DEAD_LETTERS: Final = 10_000
_MAX_REASON: Final = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivered entry. `deliveries` includes this delivery.

    `id` is the arrival time in milliseconds and an ascending number, such as `1700000000000-7`.
    """

    id: str
    fields: Fields
    deliveries: int

    def is_for(self, group: str) -> bool:
        """Return whether the entry is for the group.

        A redriven dead letter is for one group only.
        """
        return self.fields.get(FOR_GROUP, group.encode()) == group.encode()


@dataclass(frozen=True, slots=True)
class Backlog:
    """The backlog of a group: the numbers of undelivered, unfinished and dead entries."""

    lag: int
    pending: int
    dead: int


class Subscription(Protocol):
    """The interface through which a member of a consumer group reads one topic.

    An entry that a member has read belongs to this member until it is acknowledged or becomes a
    dead letter. If the member's process has ended, another member gets the entry, or the same
    member after a restart. Later events of the entry's key are delivered after it.
    """

    async def create(self) -> None:
        """Create the group if it does not exist. The group starts with the oldest stored entry."""

    async def read_new(self, count: int, block_seconds: float) -> list[Entry]:
        """Return undelivered entries. Wait a short time for the first entry."""

    async def read_own_oldest(self) -> Entry | None:
        """Return the oldest entry that this member has received and not finished."""

    async def claim_idle(self, idle_seconds: float) -> Entry | None:
        """Take over an entry of an ended process, unless the broker redelivers it by itself."""

    async def acknowledge(self, *entry_ids: str) -> None:
        """Acknowledge finished entries."""

    async def move_to_dead_letters(self, entry: Entry, reason: str) -> None:
        """Finish an entry that cannot be handled, and store the entry as a dead letter."""

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Extend the ownership of entries in progress, so that no other member takes them."""

    async def uncount_delivery(self, entry: Entry) -> None:
        """Lower the delivery count of an entry by one, because its handling could not start."""

    async def backlog(self) -> Backlog:
        """Return the backlog of the group."""

    async def close(self) -> None:
        """Stop reading.

        Another member, or this member after a restart, gets the unfinished entries.
        """


class Broker(Protocol):
    """Streams of entries by topic.

    If the broker is down, methods raise the exceptions of the broker's client library.
    """

    async def ping(self) -> None:
        """Check that the broker responds, or raise an exception of its client library."""

    async def publish(
        self, topics: Mapping[str, Sequence[Mapping[str, str]]], *, max_length: int
    ) -> None:
        """Append entries to topics. Entries with the same key stay in order, even after a failure.

        After an exception, a part of the entries may be in the stream; publish all of them again.
        If a topic has more than `max_length` entries, the oldest entries are deleted.
        """

    def subscription(self, topic: str, group: str, member: str) -> Subscription:
        """Return a member's subscription to a topic."""

    async def dead_letters(self, topic: str, count: int) -> tuple[list[Fields], int]:
        """Return the first dead letters of a topic, and their total number."""

    async def redrive(self, topic: str, *, keep_seconds: float) -> tuple[int, int]:
        """Move all dead letters back to their stream. Only operators call this method.

        Only the group that failed handles a redriven entry; other groups skip it. Dead letters
        older than `keep_seconds` stay, because the inbox may have deleted its record of them. Those
        that fail again during this call stay too; otherwise the call might never end.

        Returns:
            The number of moved dead letters, and the number of dead letters that stay because of
                their age.
        """

    async def length(self, topic: str) -> int:
        """Return the number of entries in the stream of a topic."""

    async def trim(self, topic: str, *, keep_seconds: float) -> int:
        """Delete entries older than `keep_seconds` that every group has finished.

        If no group reads the topic, only the age counts: a new group starts with the stored
        entries.
        """

    async def trim_dead_letters(self, topic: str, *, keep_seconds: float) -> int:
        """Delete dead letters that are too old to redrive. Return how many."""

    async def forget_members(self, topic: str, *, idle_seconds: float) -> int:
        """Delete members that ended long ago and have no unfinished entries. Return how many."""


def dead_letter(entry: Entry, group: str, reason: str) -> dict[bytes, bytes]:
    """Return the dead letter for an entry that a group could not handle."""
    return {
        **entry.fields,
        b"dead_group": group.encode(),
        b"dead_reason": reason[:_MAX_REASON].encode(errors="replace"),
        b"dead_deliveries": str(entry.deliveries).encode(),
    }


def put_back(fields: Fields) -> dict[bytes, bytes]:
    """Return the original entry of a dead letter, addressed to the group that failed."""
    entry = {name: value for name, value in fields.items() if not name.startswith(b"dead_")}
    if b"dead_group" in fields:
        entry[FOR_GROUP] = fields[b"dead_group"]
    return entry
