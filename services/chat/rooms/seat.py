"""The position of one socket in each channel of its user."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID


class Seat:
    """Pass new messages on to the socket. The socket gets no messages before `live` is set."""

    __slots__ = ("_ahead", "_behind", "_send", "live")

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self.live = False
        # Channels whose missed messages are being read: what is new waits to be read as well.
        self._behind: set[UUID] | None = None
        # Channels of which more has been read than has been announced, and up to where.
        self._ahead: dict[UUID, int] | None = None

    def deliver(self, channel_id: UUID, sequence: int, frame: bytes) -> None:
        """Send a channel's next message, unless `resume` has sent it or will send it."""
        if not self.live or (self._behind and channel_id in self._behind):
            return
        if self._ahead and channel_id in self._ahead:
            if sequence <= self._ahead[channel_id]:
                return
            del self._ahead[channel_id]
        self._send(frame)

    def give(self, frame: bytes) -> None:
        """Send a frame that has no sequence number."""
        if self.live:
            self._send(frame)

    def hold(self, channel_id: UUID) -> None:
        """Ignore new messages of a channel until `catch_up_done`: `resume` reads and sends them."""
        self._behind = (self._behind or set()) | {channel_id}
        if self._ahead:
            self._ahead.pop(channel_id, None)

    def catch_up_done(self, channel_id: UUID, upto: int, announced: int) -> None:
        """Deliver new messages of a channel again, except messages that `resume` has sent."""
        if self._behind is not None:
            self._behind.discard(channel_id)
            self._behind = self._behind or None
        if upto > announced:
            self._ahead = {**(self._ahead or {}), channel_id: upto}
