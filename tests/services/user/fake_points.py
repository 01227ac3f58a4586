"""Points from a dictionary, for tests of code that uses points."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from lib.errors import AppError, Code, FieldError, invalid
from services.user.ports import PointEntry

MAX_USERS = 1_000


class FakePoints:
    """`ports.Points` without a service. `available = False` simulates an unavailable service."""

    def __init__(
        self,
        points: Mapping[UUID, int] | None = None,
        entries: Mapping[UUID, Sequence[PointEntry]] | None = None,
    ) -> None:
        self.points = dict(points or {})
        self.entries = dict(entries or {})
        self.available = True
        self.hang: asyncio.Event | None = None
        self.asked: list[list[UUID]] = []

    async def of_users(self, user_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        self.asked.append(list(user_ids))
        await self._answer()
        if len(user_ids) > MAX_USERS:
            raise invalid(FieldError("user_ids", f"has {len(user_ids)} ids; the maximum is 1000"))
        return {user_id: self.points.get(user_id, 0) for user_id in user_ids}

    async def ledger(
        self, user_id: UUID, *, after: UUID | None, limit: int
    ) -> Sequence[PointEntry]:
        await self._answer()
        behind = [e for e in self.entries.get(user_id, ()) if after is None or e.id > after]
        return behind[:limit]

    async def _answer(self) -> None:
        if self.hang is not None:
            await self.hang.wait()
        if not self.available:
            raise AppError(Code.SERVICE_UNAVAILABLE, "point is not available")
