"""Deliver the messages of a channel in this process: each once, in order, without gaps."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from services.chat.rooms.seat import Seat

# How many messages wait here for one before them; what is beyond is read from the database.
_EARLY: Final = 64


class LocalUser:
    """A user with sockets in this process, and the user's channels."""

    __slots__ = ("channels", "complete", "id", "seats")

    def __init__(self, user_id: UUID) -> None:
        self.id = user_id
        self.seats: set[Seat] = set()
        self.channels: set[UUID] = set()
        # Whether `channels` are all that there were when they were read.
        self.complete = False


class Feed:
    """Deliver messages in order and once, although they may arrive out of order, twice or never.

    `last` is the sequence of the last delivered message, and `known` of the last stored one. If
    they differ, a message is in transit or lost, and a lost message must be read from the database.
    """

    __slots__ = ("_early", "id", "is_catching_up", "known", "last", "members", "users")

    def __init__(self, channel_id: UUID, members: tuple[UUID, UUID], last: int) -> None:
        self.id = channel_id
        self.members = members
        self.last = self.known = last
        self.users: list[LocalUser] = []
        self.is_catching_up = False
        self._early: dict[int, bytes] | None = None

    @property
    def lacks(self) -> bool:
        """Return whether a stored message has not been delivered."""
        return self.last < self.known

    def accept(self, sequence: int, frame: bytes) -> int:
        """Accept a message, deliver the messages that are next in order, and return their number.

        An empty frame announces the message without its content.
        """
        if sequence <= self.last:
            return 0
        self.known = max(self.known, sequence)
        if sequence > self.last + 1 or not frame:
            self._remember(sequence, frame)
            return 0
        count = self._deliver(sequence, frame)
        while self._early and (frame := self._early.get(self.last + 1, b"")):
            count += self._deliver(self.last + 1, frame)
        return count

    def fill(self, sequence: int, frame: bytes) -> int:
        """Deliver a message from the database, which returns messages in order and without gaps."""
        if sequence <= self.last:
            return 0
        self.known = max(self.known, sequence)
        return self._deliver(sequence, frame)

    def give_up(self, upto: int) -> None:
        """Skip messages up to the sequence number `upto`, because retention has deleted them."""
        self.last = max(self.last, upto)

    def _remember(self, sequence: int, frame: bytes) -> None:
        if not frame:
            return
        self._early = self._early or {}
        if len(self._early) < _EARLY:
            self._early[sequence] = frame

    def _deliver(self, sequence: int, frame: bytes) -> int:
        self.last = sequence
        if self._early:
            self._early.pop(sequence, None)
        count = 0
        for user in self.users:
            for seat in user.seats:
                seat.deliver(self.id, sequence, frame)
            count += len(user.seats)
        return count
