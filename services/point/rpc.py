"""gRPC methods. The module `service` contains the rules."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from lib.auth.access import guarded
from lib.db import Executor
from lib.pb import point as older
from lib.pb.point import v1
from services.point import access, model, service


@dataclass(frozen=True, slots=True)
class PointRpc:
    """Implement point.v1.PointService."""

    db: Executor

    @guarded(access.POINTS)
    async def get_user_points(self, request: v1.GetUserPointsRequest) -> v1.GetUserPointsResponse:
        """Return the points of one user, or 0 for a user without points."""
        user_id = model.user_id(request.user_id)
        access.check(user_id)
        points = await service.points_of(self.db, user_id)
        return v1.GetUserPointsResponse(points=points)

    @guarded(access.POINTS)
    async def list_user_points(
        self, request: v1.ListUserPointsRequest
    ) -> v1.ListUserPointsResponse:
        """Return the points of each requested user, keyed by the ID as sent."""
        asked = model.user_ids(request.user_ids)
        access.check(*asked.values())
        found = await service.points_of_many(self.db, set(asked.values()))
        return v1.ListUserPointsResponse(
            points={text: found.get(user_id, 0) for text, user_id in asked.items()}
        )

    @guarded(access.POINTS)
    async def stream_user_ledger(
        self, request: v1.StreamUserLedgerRequest
    ) -> AsyncGenerator[v1.LedgerEntry, None]:
        """Stream the user's ledger, oldest entry first."""
        user_id, after_id = model.user_id(request.user_id), model.after_id(request.after_id)
        access.check(user_id)
        async with aclosing(service.ledger(self.db, user_id, after_id)) as entries:
            async for entry in entries:
                yield v1.LedgerEntry(
                    id=str(entry.id),
                    user_id=str(entry.user_id),
                    amount=entry.amount,
                    balance_after=entry.balance_after,
                    reason=entry.reason,
                    created_at=entry.created_at,
                )


@dataclass(frozen=True, slots=True)
class PointServerRpc:
    """Implement point.PointServer for legacy clients."""

    db: Executor

    @guarded(access.POINTS)
    async def get_user_points(self, request: older.PointRequest) -> older.PointReply:
        """Return the points of one user as text."""
        user_id = model.user_id(request.user_id)
        access.check(user_id)
        points = await service.points_of(self.db, user_id)
        return older.PointReply(user_point=str(points))

    @guarded(access.POINTS)
    async def get_user_list_points(
        self, request: older.UserListRequest
    ) -> older.UserListPointResponse:
        """Return the points of the users who have ledger entries.

        The result omits users without entries.
        """
        asked = model.user_ids(request.user_ids)
        access.check(*asked.values())
        found = await service.points_of_many(self.db, set(asked.values()))
        return older.UserListPointResponse(
            user_points={text: found[id_] for text, id_ in asked.items() if id_ in found}
        )
