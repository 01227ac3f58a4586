# Generated from proto/point/point_server.proto by `make proto`. Edit the .proto, not this file.
"""The services of point: methods, handlers and stubs."""

from __future__ import annotations

from typing import Final, Protocol

from lib.grpc.client import Client
from lib.grpc.methods import Service, Unary
from lib.pb.point import (
    PointReply,
    PointRequest,
    UserListPointResponse,
    UserListRequest,
)

GET_USER_POINTS: Final = Unary(
    "point.PointServer",
    "GetUserPoints",
    PointRequest,
    PointReply,
    idempotent=True,
)
GET_USER_LIST_POINTS: Final = Unary(
    "point.PointServer",
    "GetUserListPoints",
    UserListRequest,
    UserListPointResponse,
    idempotent=True,
)


class PointServerServicer(Protocol):
    """The handlers of point.PointServer."""

    async def get_user_points(self, request: PointRequest) -> PointReply:
        ...

    async def get_user_list_points(self, request: UserListRequest) -> UserListPointResponse:
        ...


def point_server(servicer: PointServerServicer) -> Service:
    """Bind each method to its handler."""
    return Service(
        "point.PointServer",
        (
            GET_USER_POINTS.bind(servicer.get_user_points),
            GET_USER_LIST_POINTS.bind(servicer.get_user_list_points),
        ),
    )


class PointServerStub:
    """Call point.PointServer. Failures raise AppError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get_user_points(self, request: PointRequest, *, seconds: float) -> PointReply:
        return await self._client.unary(GET_USER_POINTS, request, seconds=seconds)

    async def get_user_list_points(self, request: UserListRequest, *, seconds: float) -> UserListPointResponse:
        return await self._client.unary(GET_USER_LIST_POINTS, request, seconds=seconds)
