"""Fetch points over gRPC: one call per page of users, with a timeout and a circuit breaker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from prometheus_client import CollectorRegistry

from lib.auth import Issuer, Role
from lib.auth.service_tokens import ServiceTokens
from lib.auth.tokens import Issued
from lib.errors import AppError, Code
from lib.grpc.client import Client
from lib.grpc.pool import ChannelPool
from lib.pb.point.v1 import LedgerEntry, ListUserPointsRequest, StreamUserLedgerRequest
from lib.pb.point.v1.rpc import PointServiceStub
from lib.resilience import BreakerPolicy, Upstream
from services.user.config import UserConfig
from services.user.ports import PointEntry

UPSTREAM = "point"
SERVICE = "user"


class GrpcPoints:
    """The implementation of `ports.Points` that calls the point service over gRPC."""

    def __init__(self, client: Client, *, seconds: float) -> None:
        self._client = client
        self._stub = PointServiceStub(client)
        self._seconds = seconds

    async def of_users(self, user_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """See `ports.Points`."""
        request = ListUserPointsRequest(user_ids=[str(user_id) for user_id in user_ids])
        found = await self._stub.list_user_points(request, seconds=self._seconds)
        return {user_id: found.points.get(str(user_id), 0) for user_id in user_ids}

    async def ledger(
        self, user_id: UUID, *, after: UUID | None, limit: int
    ) -> Sequence[PointEntry]:
        """Return up to `limit` ledger entries; see `ports.Points`.

        Close the stream after the last needed entry.
        """
        request = StreamUserLedgerRequest(
            user_id=str(user_id), after_id="" if after is None else str(after)
        )
        found = await self._stub.stream_user_ledger(request, seconds=self._seconds, limit=limit)
        return [_entry(entry) for entry in found]

    async def ping(self) -> None:
        """Check that the point service is serving, or raise AppError."""
        await self._client.ping(seconds=self._seconds)


def _entry(entry: LedgerEntry) -> PointEntry:
    if entry.created_at is None:
        raise AppError(Code.INTERNAL_ERROR, f"{UPSTREAM} sent an entry without a time")
    return PointEntry(
        UUID(entry.id), entry.amount, entry.balance_after, entry.reason, entry.created_at
    )


def own_tokens(issuer: Issuer) -> ServiceTokens:
    """Return access tokens that the user service signs for its own calls to the point service."""

    async def obtain() -> Issued:
        return issuer.issue(SERVICE, [Role.SERVICE], ["service:points"])

    return ServiceTokens(obtain)


@asynccontextmanager
async def open_points(
    config: UserConfig, tokens: ServiceTokens, *, registry: CollectorRegistry
) -> AsyncIterator[GrpcPoints]:
    """Open the gRPC channels to the point service. The point service may start after this process.

    `tokens` are the service's tokens for the calls.
    """
    pool = ChannelPool(
        config.point_grpc_address,
        size=config.point_connections,
        tls=config.point_grpc_tls(),
    )
    # Half of three calls is what a service that is down fails at once; one good probe is enough
    # to trust it again, because a list without points costs more than a slow one.
    policy = BreakerPolicy(window_seconds=10.0, open_seconds=config.points_pause_seconds, probes=1)
    upstream = Upstream(UPSTREAM, policy, tokens=tokens, registry=registry)
    try:
        yield GrpcPoints(Client(pool, upstream), seconds=config.points_seconds)
    finally:
        await pool.close()
