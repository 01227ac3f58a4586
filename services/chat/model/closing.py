"""Close codes of a socket, which determine the next action of clients. See docs/chat.md."""

from __future__ import annotations

from enum import IntEnum


class Close(IntEnum):
    """Close codes. After every code except `GONE`, a client may connect again and resume.

    After `ENDED` the client must sign in first; after `EXPIRED` it needs a new token. After `FLOOD`
    it must wait a second: if it reconnects sooner and sends all frames again, only the frame
    `resume` is accepted.
    """

    # The protocol's own.
    RESTART = 1012
    TRY_LATER = 1013
    # Ours.
    EXPIRED = 4001
    ENDED = 4002
    GONE = 4003
    SLOW = 4008
    REPLACED = 4009
    FLOOD = 4029

    @property
    def reason(self) -> str:
        """Return a text that explains the code to users."""
        return _REASONS[self]


_REASONS = {
    Close.RESTART: "the server restarts: reconnect and resume",
    Close.TRY_LATER: "a dependency is unavailable: reconnect later and resume",
    Close.EXPIRED: "the token has expired: reconnect with a new token and resume",
    Close.ENDED: "the session has ended: sign in again",
    Close.GONE: "the account is no longer active",
    Close.SLOW: "the client reads too slowly: reconnect and resume",
    Close.REPLACED: "too many connections of this user: the oldest was closed",
    Close.FLOOD: "too many frames after several warnings: wait a second and resume",
}
