"""Services in this process, on ports that the system selects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from devstack.testing.auth import TestIssuer
from devstack.testing.auth import running as publishing
from lib.auth import Role, SigningKey
from lib.auth.service_tokens import ServiceTokens
from lib.grpc.client import Client
from lib.grpc.pool import ChannelPool
from lib.http.server import serve_app
from lib.resilience import Upstream
from services.point import app as point_app
from services.point.access import READ
from services.point.config import PointConfig
from services.user import app as user_app
from services.user.config import UserConfig

# Signs for every user service that is started here.
ISSUER = TestIssuer(SigningKey.generate())
STAFF = ISSUER.authorized("users:read")


def points_reader(issuer: TestIssuer = ISSUER) -> ServiceTokens:
    """Return the tokens of the service that may read all users' points."""
    return issuer.tokens("user", Role.SERVICE, READ)


@dataclass(frozen=True)
class RunningPoint:
    http: str
    grpc_port: int

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"


def refusal(code: str, status: int) -> web.Response:
    """Return the error that a simulated service responds with."""
    error = {"code": code, "message": "no"}
    return web.json_response({"success": False, "error": error}, status=status)


@asynccontextmanager
async def running_point(
    database_url: str, *, grpc_port: int = 0, **settings: Any
) -> AsyncIterator[RunningPoint]:
    with publishing(ISSUER.key) as published:
        given = {"auth_jwks_url": published.url, "drain_seconds": 2}
        config = PointConfig(
            _env_file=None, database_url=database_url, grpc_port=grpc_port, **(given | settings)
        )
        app = point_app.create_app(config)
        async with serve_app(app, config, port=0) as port:
            yield RunningPoint(f"http://127.0.0.1:{port}", app[point_app.GRPC_PORT])


@asynccontextmanager
async def running_user(
    database_url: str, point_grpc_address: str, **settings: Any
) -> AsyncIterator[str]:
    given = {"jwt_private_keys": ISSUER.key.pem().decode(), "drain_seconds": 2}
    config = UserConfig(
        _env_file=None,
        database_url=database_url,
        point_grpc_address=point_grpc_address,
        **(given | settings),
    )
    async with serve_app(user_app.create_app(config), config, port=0) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def client_of(address: str, *, tokens: ServiceTokens | None = None) -> AsyncIterator[Client]:
    """A client of the point service; by default, it calls with a service's tokens."""
    pool = ChannelPool(address, size=4)
    try:
        yield Client(pool, Upstream("point", tokens=tokens or points_reader()))
    finally:
        await pool.close()
