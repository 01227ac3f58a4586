"""Build the chat service from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.component import Component
from lib.events import consuming
from lib.http.app import BROKER, DATABASE, METRICS, REDIS, new_app
from lib.http.components import add_background, add_database
from lib.http.middleware.install import install_middleware
from lib.ids import new_id
from lib.limits import Limiter
from services.chat import store
from services.chat.config import ChatConfig
from services.chat.keys import CHAT
from services.chat.model.closing import Close
from services.chat.rooms.departures import Departures
from services.chat.rooms.fanout import Fanout
from services.chat.rooms.hub import Hub
from services.chat.rooms.metrics import SocketMetrics
from services.chat.rooms.presence import Presence
from services.chat.routes import ROUTES
from services.chat.service.chat import Chat
from services.chat.service.events import announcing
from services.chat.service.maintenance import Keep, keeping
from services.chat.ws import ROUTES as WS_ROUTES
from services.chat.ws.endpoint import CONFIG, LIMITER
from services.chat.ws.handshake import ORIGINS, VERIFIER
from services.chat.ws.meter import METER, Meter
from services.chat.ws.sockets import SOCKETS, Sockets

# The trusted producer of each topic that is consumed.
PRODUCERS: Final[Mapping[str, str]] = {
    "offers": "order",
    "jobs": "order",
    "service-orders": "order",
    "users": "user",
}


def create_app(config: ChatConfig) -> web.Application:
    """Return the application, which connects to the database when it starts."""
    app = new_app(
        "chat",
        config,
        (*ROUTES, *WS_ROUTES),
        description="Messages between the customer and the provider of an order or a job.",
    )
    verifier = remote_verifier(config)
    app[CONFIG], app[VERIFIER] = config, verifier
    app[ORIGINS] = frozenset(config.cors_origins)
    app[SOCKETS] = Sockets(
        per_user=config.connections_per_user,
        per_address=config.connections_per_address,
        most=config.max_connections,
    )
    app[METER] = Meter(config.on_the_wire())
    add_database(app, config, store)
    install_middleware(app, config, verifier)
    app.cleanup_ctx.append(partial(_conversations, config))
    add_background(app, lambda: _background(app, config))
    app.on_shutdown.append(_close_sockets)
    return app


async def _close_sockets(app: web.Application) -> None:
    """Close all sockets of this process, so that the clients connect to another replica.

    Call this function before the server drains.
    """
    await app[SOCKETS].close_all(Close.RESTART)


async def _conversations(config: ChatConfig, app: web.Application) -> AsyncIterator[None]:
    db, redis, registry = app[DATABASE], app[REDIS].chat, app[METRICS]
    hub, replica = Hub(db, registry), new_id()
    presence = Presence(redis, replica=str(replica), here=hub.has)
    fanout = Fanout(redis, replica, hub, presence, Departures(db, app[SOCKETS]), registry)
    # Each replica counts for itself: asking Redis would cost more than most frames do.
    app[LIMITER] = Limiter(None)
    writable = timedelta(days=config.closed_days)
    app[CHAT] = Chat(db, redis, hub, fanout, presence, SocketMetrics(registry), writable)
    try:
        async with fanout.running(), presence.running(fanout.say):
            yield
    finally:
        await hub.close()


def _background(app: web.Application, config: ChatConfig) -> Iterator[Component]:
    db, broker, registry = app[DATABASE], app[BROKER], app[METRICS]
    keep = Keep(timedelta(days=config.retention_days), timedelta(days=config.client_id_days))
    yield keeping(db, keep)
    if broker is not None:
        handlers = announcing(app[CHAT].fanout.say)
        yield consuming(config, db, broker, handlers, PRODUCERS, group="chat", registry=registry)
