"""Close the sockets of users whose accounts were deactivated or deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from lib.db import Executor
from services.chat.store import departed

_ASKED_AT_ONCE: Final = 5000


class Departures:
    """Close sockets of deactivated users: on an event, and by polling the database."""

    def __init__(
        self,
        db: Executor,
        here: Callable[[], Collection[UUID]],
        close: Callable[[UUID], None],
    ) -> None:
        self._db = db
        self._here = here
        self._close = close

    def told(self, user_id: UUID) -> None:
        """Close the sockets of a user whose account is no longer active."""
        self._close(user_id)

    async def catch_up(self) -> None:
        """Query which connected users are no longer active. Raises AppError if the query fails."""
        here = list(self._here())
        for start in range(0, len(here), _ASKED_AT_ONCE):
            some = here[start : start + _ASKED_AT_ONCE]
            for user_id in await departed.list_departed(self._db, user_ids=some):
                self._close(user_id)
