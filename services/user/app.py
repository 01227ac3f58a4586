"""The user service put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from aiohttp import web

from lib.db.postgres import open_database
from lib.http.app import HEALTH, METRICS, new_app
from services.user.config import UserConfig
from services.user.points_client import open_points
from services.user.routes import DEPS, ROUTES, Deps
from services.user.store import QUERY_NAMES


def create_app(config: UserConfig) -> web.Application:
    """Build the application; starting it opens the database and the channels to point."""
    app = new_app("user", config, ROUTES, description="People with their points and statistics.")

    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(
                open_database(
                    config,
                    application="user",
                    registry=app[METRICS],
                    query_names=QUERY_NAMES,
                )
            )
            app[HEALTH].add("database", db.ping)
            points = await stack.enter_async_context(open_points(config, registry=app[METRICS]))
            app[HEALTH].add("point", points.ping, required=False)
            app[DEPS] = Deps(db, points)
            yield

    app.cleanup_ctx.append(resources)
    return app
