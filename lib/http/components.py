"""What an application opens when it starts, in the order added, and closes in reverse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack

from aiohttp import web

from lib.component import Component
from lib.config import DatabaseSettings
from lib.db.engine import open_database
from lib.db.traced import traced
from lib.http.app import DATABASE, HEALTH, METRICS, REDIS
from lib.redis import RedisOptions, RedisUrl, open_redis, ping


def add_database(
    app: web.Application, settings: DatabaseSettings, *query_names: Mapping[str, str]
) -> None:
    """Open the service's database as `app[DATABASE]`; it is not ready while that is away.

    `query_names` are those of the generated packages it uses, SQL text → name: for metrics and
    spans.
    """
    names = {sql: name for some in query_names for sql, name in some.items()}

    async def database(app: web.Application) -> AsyncIterator[None]:
        async with open_database(
            settings,
            application=app[HEALTH].service,
            registry=app[METRICS],
            query_names=names,
        ) as db:
            app[DATABASE] = traced(db, names)
            app[HEALTH].add("database", db.ping)
            yield

    app.cleanup_ctx.append(database)


def add_redis(app: web.Application, url: RedisUrl | None) -> None:
    """Open `app[REDIS]`, which is None without a URL; it is ready while that is away, too."""

    async def redis(app: web.Application) -> AsyncIterator[None]:
        app[REDIS] = None
        if url is None:
            yield
            return
        async with open_redis(RedisOptions(url.get_secret_value())) as client:
            app[REDIS] = client
            # Not required: whatever uses it has a way without, or waits for it.
            app[HEALTH].add("redis", lambda: ping(client), required=False)
            yield

    app.cleanup_ctx.append(redis)


def add_background(app: web.Application, components: Callable[[], Iterable[Component]]) -> None:
    """Run `components` beside the requests, opened after all that was added before.

    Each is entered before the next is asked for, and left in reverse order.
    """

    async def background(_: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for component in components():
                await stack.enter_async_context(component)
            yield

    app.cleanup_ctx.append(background)
