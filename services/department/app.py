"""The department service put together from its configuration."""

from __future__ import annotations

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.http.app import new_app
from lib.http.components import add_database
from lib.http.middleware.install import install_middleware
from services.department.config import DepartmentConfig
from services.department.routes import ROUTES
from services.department.store import QUERY_NAMES


def create_app(config: DepartmentConfig) -> web.Application:
    """Return the application; it connects to its database when it starts."""
    app = new_app("department", config, ROUTES, description="The departments that staff belong to.")
    add_database(app, config, QUERY_NAMES)
    install_middleware(app, config, remote_verifier(config))
    return app
