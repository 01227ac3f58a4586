"""Composition root: puts the order service together from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.db.postgres import open_database
from lib.db.traced import traced
from lib.events import Relay
from lib.events.store import QUERY_NAMES as EVENT_QUERY_NAMES
from lib.http import gates
from lib.http.app import DATABASE, HEALTH, METRICS, new_app
from lib.store import QUERY_NAMES as SHARED_QUERY_NAMES
from services.order.config import OrderConfig
from services.order.routes import ROUTES
from services.order.store import QUERY_NAMES

# SQL text → name, for metrics and spans.
_NAMES = {**SHARED_QUERY_NAMES, **EVENT_QUERY_NAMES, **QUERY_NAMES}


def create_app(config: OrderConfig) -> web.Application:
    """Return the application; it connects to its database when it starts."""
    app = new_app(
        "order",
        config,
        ROUTES,
        description="Goods that are bought, and jobs that are offered, taken and done.",
    )
    app.cleanup_ctx.append(_resources(config))
    gates.install(app, config, remote_verifier(config), idempotency=True)
    app.cleanup_ctx.append(_background)
    return app


def _resources(config: OrderConfig) -> gates.Context:
    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with open_database(
            config,
            application="order",
            registry=app[METRICS],
            query_names=_NAMES,
        ) as db:
            app[DATABASE] = traced(db, _NAMES)
            app[HEALTH].add("database", db.ping)
            yield

    return resources


async def _background(app: web.Application) -> AsyncIterator[None]:
    """Run what runs beside the requests, once everything is open."""
    db, redis = app[DATABASE], app[gates.REDIS]
    async with AsyncExitStack() as stack:
        if redis is not None:
            await stack.enter_async_context(Relay(db, redis, registry=app[METRICS]).running())
        yield
