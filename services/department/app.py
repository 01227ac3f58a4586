"""Build the department service from its configuration."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.component import Component
from lib.events import Relay
from lib.http.app import BROKER, DATABASE, METRICS, new_app
from lib.http.components import add_background, add_database
from lib.http.middleware.install import install_middleware
from services.department import store
from services.department.config import DepartmentConfig
from services.department.routes import route


def create_app(config: DepartmentConfig) -> web.Application:
    """Return the application, which connects to the database when it starts."""
    app = new_app("department", config, route, description="Departments of the company.")
    add_database(app, config, store)
    install_middleware(app, config, remote_verifier(config))
    add_background(app, lambda: _background(app, config))
    return app


def _background(app: web.Application, config: DepartmentConfig) -> Iterator[Component]:
    if (broker := app[BROKER]) is not None:
        yield Relay(
            app[DATABASE], broker, registry=app[METRICS], signer=config.event_signer()
        ).running()
