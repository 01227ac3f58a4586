"""Composition root: puts the chat service together from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from socket import gethostname

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.db.postgres import open_database
from lib.db.traced import traced
from lib.events import Consumer, housekeeping
from lib.http import gates
from lib.http.app import DATABASE, HEALTH, METRICS, new_app
from lib.ids import new_id
from lib.limits import Limiter
from lib.store import QUERY_NAMES as SHARED_QUERY_NAMES
from services.chat.config import ChatConfig
from services.chat.keys import CHAT
from services.chat.model.closing import Close
from services.chat.rooms.fanout import Fanout
from services.chat.rooms.hub import Hub
from services.chat.rooms.metrics import SocketMetrics
from services.chat.rooms.presence import Presence
from services.chat.routes import ROUTES
from services.chat.service.chat import Chat
from services.chat.service.events import HANDLERS
from services.chat.service.upkeep import Keep, keeping
from services.chat.store import QUERY_NAMES
from services.chat.ws import ROUTES as WS_ROUTES
from services.chat.ws.endpoint import CONFIG, LIMITER
from services.chat.ws.handshake import ORIGINS, VERIFIER
from services.chat.ws.sockets import SOCKETS, Sockets

# SQL text → name, for metrics and spans.
_NAMES = {**SHARED_QUERY_NAMES, **QUERY_NAMES}


def create_app(config: ChatConfig) -> web.Application:
    """Return the application; it connects to its database when it starts."""
    app = new_app(
        "chat",
        config,
        (*ROUTES, *WS_ROUTES),
        description="Messages between the customer and the provider of an order or a job.",
    )
    verifier = remote_verifier(config)
    app[CONFIG], app[VERIFIER] = config, verifier
    app[ORIGINS] = frozenset(config.cors_origins)
    app[SOCKETS] = Sockets(per_user=config.connections_per_user, most=config.max_connections)
    app.cleanup_ctx.append(_resources(config))
    gates.install(app, config, verifier)
    app.cleanup_ctx.append(_conversations)
    app.cleanup_ctx.append(_events(config))
    app.on_shutdown.append(_close_sockets)
    return app


async def _close_sockets(app: web.Application) -> None:
    """Send everyone elsewhere; comes before the server waits for what is under way."""
    await app[SOCKETS].close_all(Close.RESTART)


def _resources(config: ChatConfig) -> gates.Context:
    async def resources(app: web.Application) -> AsyncIterator[None]:
        keep = Keep(timedelta(days=config.retention_days), timedelta(days=config.client_id_days))
        async with open_database(
            config, application="chat", registry=app[METRICS], query_names=_NAMES
        ) as db:
            app[DATABASE] = traced(db, _NAMES)
            app[HEALTH].add("database", db.ping)
            async with keeping(app[DATABASE], keep):
                yield

    return resources


async def _conversations(app: web.Application) -> AsyncIterator[None]:
    db, redis, registry = app[DATABASE], app[gates.REDIS], app[METRICS]
    hub, replica = Hub(db, registry), new_id()
    presence = Presence(redis, replica=str(replica), here=hub.has)
    fanout = Fanout(redis, replica, hub, presence, registry)
    # Each replica counts for itself: asking Redis would cost more than most frames do.
    app[LIMITER] = Limiter(None)
    app[CHAT] = Chat(db, redis, hub, fanout, presence, SocketMetrics(registry))
    async with fanout.running(), presence.running(fanout.say):
        yield
    await hub.close()


def _events(config: ChatConfig) -> gates.Context:
    async def events(app: web.Application) -> AsyncIterator[None]:
        db, redis = app[DATABASE], app[gates.REDIS]
        async with AsyncExitStack() as stack:
            if redis is not None:
                consumer = Consumer(
                    db,
                    redis,
                    group="chat",
                    name=f"{gethostname()}-{config.port}",
                    handlers=HANDLERS,
                    registry=app[METRICS],
                )
                await stack.enter_async_context(consumer.running())
                await stack.enter_async_context(housekeeping(db, redis, HANDLERS.keys()))
            yield

    return events
