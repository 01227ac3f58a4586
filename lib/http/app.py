"""A web application with the middleware and routes that all services share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Final, TypeAlias

from aiohttp import web
from prometheus_client import CollectorRegistry

from lib.config import Settings
from lib.db import Database
from lib.events.broker import Broker
from lib.health import Health
from lib.http import openapi, operational
from lib.http.middleware.stack import MiddlewareStack
from lib.http.routes import of_app
from lib.metrics import new_registry, watch_event_loop
from lib.redis.settings import RedisParts

HEALTH: Final = web.AppKey("HEALTH", Health)
METRICS: Final = web.AppKey("METRICS", CollectorRegistry)
MIDDLEWARE: Final = web.AppKey("MIDDLEWARE", MiddlewareStack)
# The service's own database, set when it has connected.
DATABASE: Final[web.AppKey[Database]] = web.AppKey("DATABASE")
Db: TypeAlias = Annotated[Database, of_app(DATABASE)]
# What the service does with Redis, set when it starts; without a URL each part is None.
REDIS: Final = web.AppKey("REDIS", RedisParts)
# What carries its events, set when it starts; None without a URL.
BROKER: Final[web.AppKey[Broker | None]] = web.AppKey("BROKER")
# Health and metrics for a port of their own; absent where they are on the public one.
INTERNAL: Final = web.AppKey("INTERNAL", web.Application)


def new_app(
    service: str,
    settings: Settings,
    routes: Iterable[web.AbstractRouteDef],
    *,
    description: str = "",
) -> web.Application:
    """Build the application of `service`: middleware, `routes`, health, metrics and `/docs`.

    The service adds its own resources (with `lib.http.components` or `app.cleanup_ctx`), the check
    of each resource to `app[HEALTH]`, and its metrics to `app[METRICS]`.
    """
    registry = new_registry(service)
    health = Health(service)
    middleware = MiddlewareStack(settings, registry, health)
    app = web.Application(middlewares=[middleware.serve], client_max_size=settings.max_body_bytes)
    app[HEALTH], app[METRICS], app[MIDDLEWARE] = health, registry, middleware
    app.add_routes(routes)
    if settings.internal_port is None:
        app.add_routes(operational.routes(app[HEALTH], registry))
    else:
        app[INTERNAL] = web.Application()
        app[INTERNAL].add_routes(operational.routes(app[HEALTH], registry))
    openapi.install(app, title=f"{service} service", description=description)
    app.cleanup_ctx.append(_event_loop_lag)
    return app


async def _event_loop_lag(app: web.Application) -> AsyncIterator[None]:
    async with watch_event_loop(app[METRICS]):
        yield
