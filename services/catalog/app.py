"""Build the catalog service from its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from typing import Final

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.cache import Cache
from lib.component import Component
from lib.events import Relay, consuming
from lib.http.app import BROKER, DATABASE, METRICS, REDIS, new_app
from lib.http.components import add_background, add_database
from lib.http.middleware.install import install_middleware
from services.catalog import store
from services.catalog.config import CatalogConfig
from services.catalog.invalidation import handlers
from services.catalog.routes import ROUTES
from services.catalog.routes.answers import CACHE

# The trusted producer of each topic that is consumed.
PRODUCERS: Final[Mapping[str, str]] = {
    "catalog": "catalog",
    "users": "user",
}


def create_app(config: CatalogConfig) -> web.Application:
    """Return the application, which connects to the database when it starts."""
    app = new_app(
        "catalog",
        config,
        ROUTES,
        description="The services that customers can order, by category, and their providers.",
    )
    add_database(app, config, store)
    install_middleware(app, config, remote_verifier(config))
    add_background(app, lambda: _background(app, config))
    return app


def _background(app: web.Application, config: CatalogConfig) -> Iterator[Component]:
    db, broker, registry = app[DATABASE], app[BROKER], app[METRICS]
    cache = app[CACHE] = Cache(app[REDIS].cache, prefix="catalog", registry=registry)
    yield aclosing(cache)
    if broker is not None:
        yield Relay(db, broker, registry=registry, signer=config.event_signer()).running()
        # The cache is shared: one replica handles an event for all.
        consumed = handlers(cache)
        yield consuming(config, db, broker, consumed, PRODUCERS, group="catalog", registry=registry)
