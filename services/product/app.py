"""Composition root: puts the product service together from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.db.engine import open_database
from lib.db.traced import traced
from lib.events import Relay
from lib.events.background import repeating
from lib.events.store import QUERY_NAMES as EVENT_QUERY_NAMES
from lib.http import gates
from lib.http.app import DATABASE, HEALTH, METRICS, new_app
from services.product.config import ProductConfig
from services.product.routes import ROUTES
from services.product.service.reservations import expire
from services.product.store import QUERY_NAMES

# SQL text → name, for metrics and spans.
_NAMES = {**EVENT_QUERY_NAMES, **QUERY_NAMES}


def create_app(config: ProductConfig) -> web.Application:
    """Return the application; it connects to its database when it starts."""
    app = new_app(
        "product", config, ROUTES, description="What is for sale, and how many there are."
    )
    app.cleanup_ctx.append(_resources(config))
    gates.install(app, config, remote_verifier(config))
    app.cleanup_ctx.append(_background(config))
    return app


def _resources(config: ProductConfig) -> gates.Context:
    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with open_database(
            config,
            application="product",
            registry=app[METRICS],
            query_names=_NAMES,
        ) as db:
            app[DATABASE] = traced(db, _NAMES)
            app[HEALTH].add("database", db.ping)
            yield

    return resources


def _background(config: ProductConfig) -> gates.Context:
    async def background(app: web.Application) -> AsyncIterator[None]:
        db, redis = app[DATABASE], app[gates.REDIS]

        async def sweep() -> bool:
            return await expire(db) > 0

        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                repeating(sweep, name="expired-reservations", idle_seconds=config.sweep_seconds)
            )
            if redis is not None:
                relay = Relay(db, redis, registry=app[METRICS])
                await stack.enter_async_context(relay.running())
            yield

    return background
