"""What carries events from relays to consumers: the port, which each broker has an adapter for.

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
    """A delivered entry; `deliveries` counts this one.

    `id` is the milliseconds when it arrived, then a number that ascends: `1700000000000-7`.
    """

    id: str
    fields: Fields
    deliveries: int

    def is_for(self, group: str) -> bool:
        """Return whether the group is meant: a redriven dead letter is for the one that failed."""
        return self.fields.get(FOR_GROUP, group.encode()) == group.encode()


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far behind a group is: not delivered, not finished, given up."""

    lag: int
    pending: int
    dead: int


class Subscription(Protocol):
    """One topic as one member of a group sees it.

    What was read is the member's until it is acknowledged or buried. When the process is gone,
    others get it, or itself when it is back, and no later event of its key before it.
    """

    async def create(self) -> None:
        """Create the group where there is none; it begins with the oldest entry still kept."""

    async def read_new(self, count: int, block_seconds: float) -> list[Entry]:
        """Return entries that nobody works on, waiting a moment for the first."""

    async def read_own_oldest(self) -> Entry | None:
        """Return the oldest entry that this member was given and has not finished."""

    async def claim_idle(self, idle_seconds: float) -> Entry | None:
        """Take over an entry of a member that is gone, where the broker does not give it away."""

    async def acknowledge(self, *entry_ids: str) -> None:
        """Say that entries are finished."""

    async def move_to_dead_letters(self, entry: Entry, reason: str) -> None:
        """Finish an entry that cannot be handled; it is kept for a person."""

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Say that these are still being worked on, so that nobody takes them over."""

    async def uncount_delivery(self, entry: Entry) -> None:
        """Do not count the delivery of an entry whose handling could not even be tried."""

    async def backlog(self) -> Backlog:
        """Measure how far behind the group is."""

    async def close(self) -> None:
        """Take no more; what is not finished is for others, or for this name when it is back."""


class Broker(Protocol):
    """Streams of entries by topic; each raises what its client raises where the broker is away."""

    async def ping(self) -> None:
        """Ask for an answer; raises where there is none."""

    async def publish(
        self, topics: Mapping[str, Sequence[Mapping[str, str]]], *, max_length: int
    ) -> None:
        """Append entries to each topic: those of one key in this order, whatever fails.

        What raised may be there in part; write all of it again. Beyond `max_length` entries of a
        topic its oldest go.
        """

    def subscription(self, topic: str, group: str, member: str) -> Subscription:
        """Return what a member of a group reads a topic with."""

    async def dead_letters(self, topic: str, count: int) -> tuple[list[Fields], int]:
        """Return the first dead letters of a topic, and how many there are."""

    async def redrive(self, topic: str, *, keep_seconds: float) -> tuple[int, int]:
        """Put the dead letters there are back into their stream. For a person to call.

        Each is for the group that failed; others pass it over. Those older than `keep_seconds`
        stay: the inbox may have forgotten what it did about them. What fails again meanwhile stays
        as well: it would go round for ever.

        Returns:
            How many were put back, and how many stay because of their age.
        """

    async def length(self, topic: str) -> int:
        """Return how many entries the stream of a topic has."""

    async def trim(self, topic: str, *, keep_seconds: float) -> int:
        """Remove entries that every group has finished and that are older than `keep_seconds`.

        Where nobody reads, age alone decides: whoever begins later begins with what is kept.
        """

    async def trim_dead_letters(self, topic: str, *, keep_seconds: float) -> int:
        """Remove dead letters that are too old to be put back; return how many."""

    async def forget_members(self, topic: str, *, idle_seconds: float) -> int:
        """Remove members that ended long ago and left nothing unfinished; return how many."""


def dead_letter(entry: Entry, group: str, reason: str) -> dict[bytes, bytes]:
    """Return what is kept of an entry that a group could not handle."""
    return {
        **entry.fields,
        b"dead_group": group.encode(),
        b"dead_reason": reason[:_MAX_REASON].encode(errors="replace"),
        b"dead_deliveries": str(entry.deliveries).encode(),
    }


def put_back(fields: Fields) -> dict[bytes, bytes]:
    """Return the entry that a dead letter was made of, for the group that made it."""
    entry = {name: value for name, value in fields.items() if not name.startswith(b"dead_")}
    if b"dead_group" in fields:
        entry[FOR_GROUP] = fields[b"dead_group"]
    return entry
