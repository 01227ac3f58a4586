"""A point service with three methods whose behaviour depends on the user's ID."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from devstack.embedded.ports import free_port
from lib import context
from lib.auth import Verifier
from lib.auth.access import guarded, signed_in
from lib.errors import AppError, Code, FieldError
from lib.grpc.server import Listener, serve
from lib.pb.point.v1 import (
    GetUserPointsRequest,
    GetUserPointsResponse,
    LedgerEntry,
    ListUserPointsRequest,
    ListUserPointsResponse,
    StreamUserLedgerRequest,
)
from lib.pb.point.v1.rpc import point_service
from lib.resilience.deadline import remaining

ACCESS = signed_in(services=True)
CONFLICT = AppError(
    Code.CONFLICT,
    "3 points were asked for, 1 is left: ångström",
    details=[FieldError("lines[2].amount", "is more than there is")],
    headers={"Retry-After": "7"},
)


@dataclass
class Scripted:
    """Respond to `conflict`, `bug`, `slow` and `down` accordingly, and else with 5 points."""

    asked: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    seconds_left: list[float] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    fail_first: int = 0

    @guarded(ACCESS)
    async def get_user_points(self, request: GetUserPointsRequest) -> GetUserPointsResponse:
        await self._act(request.user_id)
        return GetUserPointsResponse(points=5)

    @guarded(ACCESS)
    async def list_user_points(self, request: ListUserPointsRequest) -> ListUserPointsResponse:
        await self._act(*request.user_ids[:1])
        return ListUserPointsResponse(points=dict.fromkeys(request.user_ids, 5))

    @guarded(ACCESS)
    async def stream_user_ledger(
        self, request: StreamUserLedgerRequest
    ) -> AsyncGenerator[LedgerEntry, None]:
        try:
            for number in range(3):
                yield LedgerEntry(id=str(number), amount=number)
            await self._act(request.user_id)
        finally:
            self.cancelled.set()

    async def _act(self, what: str = "") -> None:
        self.asked.append(what)
        self.request_ids.append(context.request_id.get())
        self.seconds_left.append(remaining(1000.0))
        if len(self.asked) <= self.fail_first:
            raise AppError(Code.SERVICE_UNAVAILABLE, "not yet")
        if what == "conflict":
            raise CONFLICT
        if what == "bug":
            raise ZeroDivisionError("a secret of the server")
        if what == "down":
            raise AppError(Code.SERVICE_UNAVAILABLE, "the database is away")
        if what == "slow":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise


@asynccontextmanager
async def scripted(
    servicer: Scripted,
    *,
    registry: CollectorRegistry | None = None,
    verifier: Verifier | None = None,
    **listener: Any,
) -> AsyncIterator[str]:
    settings = {"host": "127.0.0.1", "port": free_port(), "drain_seconds": 1.0} | listener
    async with serve(
        [point_service(servicer)],
        Listener(**settings),
        registry=registry or CollectorRegistry(),
        verifier=verifier,
    ) as port:
        yield f"127.0.0.1:{port}"
