# Generated from proto/point/v1/point.proto by `make proto`. Edit the .proto, not this file.
"""The services of point.v1: methods, handlers and stubs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final, Protocol

from lib.grpc.client import Client
from lib.grpc.methods import ServerStream, Service, Unary
from lib.pb.point.v1 import (
    GetUserPointsRequest,
    GetUserPointsResponse,
    LedgerEntry,
    ListUserPointsRequest,
    ListUserPointsResponse,
    StreamUserLedgerRequest,
)

GET_USER_POINTS: Final = Unary(
    "point.v1.PointService",
    "GetUserPoints",
    GetUserPointsRequest,
    GetUserPointsResponse,
    idempotent=True,
)
LIST_USER_POINTS: Final = Unary(
    "point.v1.PointService",
    "ListUserPoints",
    ListUserPointsRequest,
    ListUserPointsResponse,
    idempotent=True,
)
STREAM_USER_LEDGER: Final = ServerStream(
    "point.v1.PointService",
    "StreamUserLedger",
    StreamUserLedgerRequest,
    LedgerEntry,
    idempotent=True,
)


class PointServiceServicer(Protocol):
    """The handlers of point.v1.PointService."""

    async def get_user_points(self, request: GetUserPointsRequest) -> GetUserPointsResponse:
        ...

    async def list_user_points(self, request: ListUserPointsRequest) -> ListUserPointsResponse:
        ...

    def stream_user_ledger(self, request: StreamUserLedgerRequest) -> AsyncGenerator[LedgerEntry, None]:
        ...


def point_service(servicer: PointServiceServicer) -> Service:
    """Bind each method to its handler."""
    return Service(
        "point.v1.PointService",
        (
            GET_USER_POINTS.bind(servicer.get_user_points),
            LIST_USER_POINTS.bind(servicer.list_user_points),
            STREAM_USER_LEDGER.bind(servicer.stream_user_ledger),
        ),
    )


class PointServiceStub:
    """Call point.v1.PointService. Failures raise AppError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get_user_points(self, request: GetUserPointsRequest, *, seconds: float) -> GetUserPointsResponse:
        return await self._client.unary(GET_USER_POINTS, request, seconds=seconds)

    async def list_user_points(self, request: ListUserPointsRequest, *, seconds: float) -> ListUserPointsResponse:
        return await self._client.unary(LIST_USER_POINTS, request, seconds=seconds)

    async def stream_user_ledger(self, request: StreamUserLedgerRequest, *, seconds: float, limit: int) -> list[LedgerEntry]:
        return await self._client.stream(STREAM_USER_LEDGER, request, seconds=seconds, limit=limit)
