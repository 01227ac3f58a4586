"""What the user service needs of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID


class Points(Protocol):
    """Where points come from."""

    async def of_users(self, user_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the points of each of the users, 0 for those who never had any.

        Raises:
            AppError: SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN where there is no
                answer; VALIDATION_ERROR for more users than may be asked for at once (1,000).
        """
        ...
