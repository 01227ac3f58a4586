"""Build the point service: the gRPC port, and HTTP for health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import Final

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.component import Component
from lib.db import Executor
from lib.events import consuming
from lib.grpc.methods import Service
from lib.grpc.server import Listener, serve
from lib.http.app import BROKER, DATABASE, METRICS, new_app
from lib.http.components import add_background, add_database, add_redis
from lib.pb.point.rpc import point_server
from lib.pb.point.v1.rpc import point_service
from services.point import store
from services.point.awards import GROUP, handlers
from services.point.config import PointConfig
from services.point.model import parse_rates
from services.point.rpc import PointRpc, PointServerRpc

# The gRPC port in use: the configured one, or the system's choice where that is 0.
GRPC_PORT: Final = web.AppKey("GRPC_PORT", int)


# The trusted producer of each topic that is consumed.
PRODUCERS: Final[Mapping[str, str]] = {
    "orders": "order",
    "jobs": "order",
}


def create_app(config: PointConfig) -> web.Application:
    """Return the application, which opens the database and then the gRPC port at start."""
    app = new_app("point", config, (), description="Points of users: health and metrics.")
    add_database(app, config, store)
    app.cleanup_ctx.append(partial(_grpc, config))
    add_redis(app, config)
    add_background(app, lambda: _background(app, config))
    return app


def rpc_services(db: Executor) -> tuple[Service, ...]:
    """Return the gRPC services of the current and of the legacy API."""
    return point_service(PointRpc(db)), point_server(PointServerRpc(db))


async def _grpc(config: PointConfig, app: web.Application) -> AsyncIterator[None]:
    db, verifier = app[DATABASE], remote_verifier(config)
    listener = Listener(
        config.host,
        config.grpc_port,
        unary_seconds=config.grpc_call_seconds,
        drain_seconds=config.drain_seconds,
        tls=config.grpc_tls(),
    )
    async with serve(rpc_services(db), listener, registry=app[METRICS], verifier=verifier) as port:
        app[GRPC_PORT] = port
        yield


def _background(app: web.Application, config: PointConfig) -> Iterator[Component]:
    db, broker, registry = app[DATABASE], app[BROKER], app[METRICS]
    if broker is not None:
        consumed = handlers(parse_rates(config.rates))
        yield consuming(config, db, broker, consumed, PRODUCERS, group=GROUP, registry=registry)
