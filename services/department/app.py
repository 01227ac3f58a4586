"""Composition root: puts the department service together from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.db.engine import open_database
from lib.db.traced import traced
from lib.http import gates
from lib.http.app import DATABASE, HEALTH, METRICS, new_app
from services.department import routes
from services.department.config import DepartmentConfig
from services.department.store import QUERY_NAMES


def create_app(config: DepartmentConfig) -> web.Application:
    """Return the application; it connects to its database when it starts."""
    app = new_app(
        "department", config, routes.ROUTES, description="The departments that staff belong to."
    )

    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with open_database(
            config,
            application="department",
            registry=app[METRICS],
            query_names=QUERY_NAMES,
        ) as db:
            app[DATABASE] = traced(db, QUERY_NAMES)
            app[HEALTH].add("database", db.ping)
            yield

    app.cleanup_ctx.append(resources)
    gates.install(app, config, remote_verifier(config))
    return app
