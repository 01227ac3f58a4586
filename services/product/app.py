"""Build the product service from its configuration."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.component import Component
from lib.events import Relay
from lib.events.background import repeating
from lib.http.app import BROKER, DATABASE, METRICS, new_app
from lib.http.components import add_background, add_database
from lib.http.middleware.install import install_middleware
from services.product import store
from services.product.config import ProductConfig
from services.product.routes import ROUTES
from services.product.service.reservations import expire


def create_app(config: ProductConfig) -> web.Application:
    """Return the application, which connects to the database when it starts."""
    app = new_app("product", config, ROUTES, description="Products and their stock.")
    add_database(app, config, store)
    install_middleware(app, config, remote_verifier(config))
    add_background(app, lambda: _background(app, config))
    return app


def _background(app: web.Application, config: ProductConfig) -> Iterator[Component]:
    db, broker, registry = app[DATABASE], app[BROKER], app[METRICS]

    async def sweep() -> bool:
        return await expire(db) > 0

    yield repeating(
        sweep, name="expired-reservations", idle_seconds=config.sweep_seconds, registry=registry
    )
    if broker is not None:
        yield Relay(db, broker, registry=registry, signer=config.event_signer()).running()
