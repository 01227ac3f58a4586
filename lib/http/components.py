"""Components that an application opens at start, in order, and closes in reverse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack
from functools import partial
from typing import Protocol

from aiohttp import web
from redis.asyncio import Redis

from lib.component import Component
from lib.config import DatabaseSettings
from lib.db.engine import open_database
from lib.db.traced import traced
from lib.events.broker import Broker
from lib.events.brokers import open_nats
from lib.events.store import QUERY_NAMES as EVENT_QUERY_NAMES
from lib.events.streams import RedisStreams
from lib.http.app import BROKER, DATABASE, HEALTH, METRICS, REDIS
from lib.nats import is_nats
from lib.redis import RedisOptions, open_redis, ping
from lib.redis.settings import RedisParts, RedisSettings
from lib.store import QUERY_NAMES as SHARED_QUERY_NAMES


class Queries(Protocol):
    """A package of generated queries."""

    @property
    def QUERY_NAMES(self) -> Mapping[str, str]:  # noqa: N802 - a constant of the package
        """Return the name of each query by its SQL text, for metrics and spans."""
        ...

    @property
    def READS(self) -> AbstractSet[str]:  # noqa: N802 - a constant of the package
        """Return the SQL texts of queries that replicas may run."""
        ...


def add_database(app: web.Application, settings: DatabaseSettings, *stores: Queries) -> None:
    """Open the service's database as `app[DATABASE]`.

    The service is not ready while the database is unavailable.

    `stores` are the generated packages of the service's own queries. The packages of `lib` are
    included here; their queries run on the primary.
    """
    names = {**EVENT_QUERY_NAMES, **SHARED_QUERY_NAMES}
    for store in stores:
        names |= store.QUERY_NAMES
    reads = frozenset[str]().union(*(store.READS for store in stores))

    async def database(app: web.Application) -> AsyncIterator[None]:
        async with open_database(
            settings,
            application=app[HEALTH].service,
            registry=app[METRICS],
            query_names=names,
            reads=reads,
        ) as db:
            app[DATABASE] = traced(db, names)
            app[HEALTH].add("database", db.ping)
            yield

    app.cleanup_ctx.append(database)


def add_redis(app: web.Application, settings: RedisSettings) -> None:
    """Open `app[REDIS]`, with one client per URL, and `app[BROKER]` on Redis or NATS.

    The application is ready even while Redis or NATS is unavailable.
    """
    parts = {part: settings.url_for(part) for part in RedisParts.names()}
    events = parts["events"]
    if events is not None and is_nats(events):
        parts["events"] = None

    async def redis(app: web.Application) -> AsyncIterator[None]:
        clients: dict[str, Redis] = {}
        async with AsyncExitStack() as stack:
            for part, url in parts.items():
                if url is None or url in clients:
                    continue
                clients[url] = await stack.enter_async_context(open_redis(RedisOptions(url)))
                # Not required: whatever uses it has a way without, or waits for it.
                name = "redis" if url == settings.url_for("") else f"redis-{part}"
                app[HEALTH].add(name, partial(ping, clients[url]), required=False)
            app[REDIS] = RedisParts(
                **{part: clients[url] for part, url in parts.items() if url is not None}
            )
            broker: Broker | None = None
            if (streams := app[REDIS].events) is not None:
                broker = RedisStreams(streams)
            elif events is not None:
                name = app[HEALTH].service
                broker = await stack.enter_async_context(open_nats(events, name=name))
                app[HEALTH].add("nats", broker.ping, required=False)
            app[BROKER] = broker
            yield

    app.cleanup_ctx.append(redis)


def add_background(app: web.Application, components: Callable[[], Iterable[Component]]) -> None:
    """Run `components` in the background, after all earlier components have opened.

    A component is started before the next one is created, and the components stop in reverse order.
    """

    async def background(_: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for component in components():
                await stack.enter_async_context(component)
            yield

    app.cleanup_ctx.append(background)
