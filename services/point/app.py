"""The point service put together: its database, its gRPC port, and the HTTP shell beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.db.postgres import open_database
from lib.db.traced import traced
from lib.grpc.server import Listener, serve
from lib.http.app import HEALTH, METRICS, new_app
from lib.pb.point.rpc import point_server
from lib.pb.point.v1.rpc import point_service
from lib.redis import RedisOptions, open_redis, ping
from lib.store import QUERY_NAMES as SHARED_QUERY_NAMES
from services.point.awards import awarding
from services.point.config import PointConfig
from services.point.rpc import PointRpc, PointServerRpc
from services.point.store import QUERY_NAMES

# SQL text → name, for metrics and spans.
_NAMES = {**SHARED_QUERY_NAMES, **QUERY_NAMES}

# The gRPC port in use: the configured one, or the system's choice where that is 0.
GRPC_PORT = web.AppKey("GRPC_PORT", int)


def create_app(config: PointConfig) -> web.Application:
    """Build the application; starting it opens the database, then the gRPC port."""
    app = new_app("point", config, (), description="Points of users: health and metrics.")

    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(
                open_database(
                    config,
                    application="point",
                    registry=app[METRICS],
                    query_names=_NAMES,
                )
            )
            app[HEALTH].add("database", db.ping)
            points = traced(db, _NAMES)
            services = (point_service(PointRpc(points)), point_server(PointServerRpc(points)))
            listener = Listener(
                config.host,
                config.grpc_port,
                unary_seconds=config.grpc_call_seconds,
                drain_seconds=config.drain_seconds,
            )
            port = await stack.enter_async_context(
                serve(services, listener, registry=app[METRICS], verifier=remote_verifier(config))
            )
            app[GRPC_PORT] = port
            if config.redis_url is not None:
                options = RedisOptions(config.redis_url.get_secret_value())
                redis = await stack.enter_async_context(open_redis(options))
                app[HEALTH].add("redis", lambda: ping(redis), required=False)
                await stack.enter_async_context(
                    awarding(points, redis, port=config.port, registry=app[METRICS])
                )
            yield

    app.cleanup_ctx.append(resources)
    return app
