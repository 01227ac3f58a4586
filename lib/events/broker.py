"""The interface of a message broker. Each broker has an adapter.

`streams.RedisStreams` and `jetstream.JetStream` are those there are; one suite of tests holds for
both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

# What an entry holds: the fields of an event, its signature, and what a redriven one adds.
Fields: TypeAlias = Mapping[bytes, bytes]

# The field of an entry that says which group it was put back for.
FOR_GROUP: Final = b"for_group"
# Letters of a topic that are kept at most, the newest: one event in each of them is looked at.
MAX_DEAD_LETTERS: Final = 10_000
_MAX_REASON: Final = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivered entry. `deliveries` includes this delivery.

    `id` is the milliseconds when it arrived, then a number that ascends: `1700000000000-7`.
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
    """The backlog of a group: undelivered, unfinished and dead entries."""

    lag: int
    pending: int
    dead: int


class Subscription(Protocol):
    """A member's view of one topic in a consumer group.

    What was read is the member's until it is acknowledged or buried. When the process is gone,
    others get it, or itself when it is back, and no later event of its key before it.
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
    """Streams of entries by topic. Methods raise the client's exceptions if the broker is down."""

    async def ping(self) -> None:
        """Check that the broker responds, or raise the client's exceptions."""

    async def publish(
        self, topics: Mapping[str, Sequence[Mapping[str, str]]], *, max_length: int
    ) -> None:
        """Append entries to topics. Entries of one key keep their order after any failure.

        What raised may be there in part; write all of it again. Beyond `max_length` entries of a
        topic its oldest go.
        """

    def subscription(self, topic: str, group: str, member: str) -> Subscription:
        """Return a member's subscription to a topic."""

    async def dead_letters(self, topic: str, count: int) -> tuple[list[Fields], int]:
        """Return the first dead letters of a topic, and their total number."""

    async def redrive(self, topic: str, *, keep_seconds: float) -> tuple[int, int]:
        """Move all dead letters back to their stream. Only operators call this method.

        Each is for the group that failed; others pass it over. Those older than `keep_seconds`
        stay: the inbox may have forgotten what it did about them. What fails again meanwhile stays
        as well: it would go round for ever.

        Returns:
            How many were put back, and how many stay because of their age.
        """

    async def length(self, topic: str) -> int:
        """Return the number of entries in the stream of a topic."""

    async def trim(self, topic: str, *, keep_seconds: float) -> int:
        """Delete entries older than `keep_seconds` that every group has finished.

        Where nobody reads, age alone decides: whoever begins later begins with what is kept.
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
