"""Close the sockets of users whose accounts or sessions have ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

from lib.db import Executor
from services.chat.model.closing import Close
from services.chat.store import departed, ended_sessions

_ASKED_AT_ONCE: Final = 5000
T = TypeVar("T")


class OpenSockets(Protocol):
    """The operations on this process's sockets that `Departures` uses."""

    def users(self) -> Collection[UUID]:
        """Return the users with a socket in this process."""
        ...

    def sessions(self) -> Mapping[UUID, UUID]:
        """Return the sessions whose tokens opened the sockets, each with its user."""
        ...

    def close_user(self, user_id: UUID, code: Close) -> None:
        """Close all sockets of a user."""
        ...

    def close_sessions(self, user_id: UUID, sessions: Collection[UUID], code: Close) -> None:
        """Close the sockets of a user that the given sessions opened."""
        ...


class Departures:
    """Close sockets of deactivated users: on an event, and by polling the database."""

    def __init__(self, db: Executor, sockets: OpenSockets) -> None:
        self._db = db
        self._sockets = sockets

    def account_gone(self, user_id: UUID) -> None:
        """Close the sockets of a user whose account is no longer active."""
        self._sockets.close_user(user_id, Close.GONE)

    def sessions_ended(self, user_id: UUID, sessions: Collection[UUID]) -> None:
        """Close the sockets that the given sessions of a user opened."""
        self._sockets.close_sessions(user_id, sessions, Close.ENDED)

    async def catch_up(self) -> None:
        """Query the database for ended accounts and sessions, and close their sockets.

        Raises AppError if the query fails.
        """
        for users in _batches(list(self._sockets.users())):
            for user_id in await departed.list_departed(self._db, user_ids=users):
                self.account_gone(user_id)
        owners = self._sockets.sessions()
        for sessions in _batches(list(owners)):
            for session_id in await ended_sessions.list_ended(self._db, ids=sessions):
                self.sessions_ended(owners[session_id], (session_id,))


def _batches(every: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(every), _ASKED_AT_ONCE):
        yield every[start : start + _ASKED_AT_ONCE]
