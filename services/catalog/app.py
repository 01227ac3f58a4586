"""Composition root: puts the catalog service together from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.cache import Cache
from lib.db.postgres import open_database
from lib.db.traced import traced
from lib.http import gates
from lib.http.app import DATABASE, HEALTH, METRICS, new_app
from lib.store import QUERY_NAMES as SHARED_QUERY_NAMES
from services.catalog.config import CatalogConfig
from services.catalog.invalidation import invalidating
from services.catalog.routes import ROUTES
from services.catalog.routes.answers import CACHE
from services.catalog.store import QUERY_NAMES

# SQL text → name, for metrics and spans.
_NAMES = {**SHARED_QUERY_NAMES, **QUERY_NAMES}


def create_app(config: CatalogConfig) -> web.Application:
    """Return the application; it connects to its database when it starts."""
    app = new_app(
        "catalog",
        config,
        ROUTES,
        description="What customers can order, by category, and who offers it.",
    )
    app.cleanup_ctx.append(_resources(config))
    gates.install(app, config, remote_verifier(config))
    app.cleanup_ctx.append(_cache(config))
    return app


def _resources(config: CatalogConfig) -> gates.Context:
    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with open_database(
            config,
            application="catalog",
            registry=app[METRICS],
            query_names=_NAMES,
        ) as db:
            app[DATABASE] = traced(db, _NAMES)
            app[HEALTH].add("database", db.ping)
            yield

    return resources


def _cache(config: CatalogConfig) -> gates.Context:
    async def cache(app: web.Application) -> AsyncIterator[None]:
        db, redis, registry = app[DATABASE], app[gates.REDIS], app[METRICS]
        app[CACHE] = Cache(redis, prefix="catalog", registry=registry)
        if redis is None:
            yield
            return
        async with invalidating(db, redis, app[CACHE], port=config.port, registry=registry):
            yield

    return cache
