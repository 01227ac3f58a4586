"""Composition root: puts the order service together from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from socket import gethostname

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.db.postgres import open_database
from lib.db.traced import traced
from lib.events import Consumer, Relay, housekeeping
from lib.events.background import repeating
from lib.events.store import QUERY_NAMES as EVENT_QUERY_NAMES
from lib.http import gates
from lib.http.app import DATABASE, HEALTH, METRICS, new_app
from lib.idempotency import IdempotencyKeys
from lib.store import QUERY_NAMES as SHARED_QUERY_NAMES
from services.order.backlog import BacklogGauges
from services.order.config import OrderConfig
from services.order.overdue import OverdueOrders
from services.order.routes import ROUTES
from services.order.routes.goods.deps import SHOP
from services.order.routes.jobs.deps import SERVICES
from services.order.service.goods.recovery import recover
from services.order.service.goods.shop import Shop
from services.order.service.jobs.departures import HANDLERS
from services.order.store import QUERY_NAMES
from services.order.upstreams import open_upstreams

# SQL text → name, for metrics and spans.
_NAMES = {**SHARED_QUERY_NAMES, **EVENT_QUERY_NAMES, **QUERY_NAMES}
_HOUR = 3600.0


def create_app(config: OrderConfig) -> web.Application:
    """Return the application; it connects to its database when it starts."""
    app = new_app(
        "order",
        config,
        ROUTES,
        description="Goods that are bought, and jobs that are offered, taken and done.",
    )
    app.cleanup_ctx.append(_resources(config))
    gates.install(app, config, remote_verifier(config), idempotency=True)
    app.cleanup_ctx.append(_background(config))
    return app


def _resources(config: OrderConfig) -> gates.Context:
    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(
                open_database(
                    config,
                    application="order",
                    registry=app[METRICS],
                    query_names=_NAMES,
                )
            )
            app[DATABASE] = traced(db, _NAMES)
            app[HEALTH].add("database", db.ping)
            upstreams = await stack.enter_async_context(
                open_upstreams(config, registry=app[METRICS])
            )
            # Most of the service does without one: it is shown, and no reason to send nobody here.
            app[HEALTH].add("service-token", upstreams.tokens.ping, required=False)
            app[SERVICES] = upstreams.services
            app[SHOP] = Shop(
                app[DATABASE],
                upstreams.users,
                upstreams.products,
                lease_seconds=config.lease_seconds,
                draft_seconds=config.draft_seconds,
            )
            yield

    return resources


def _background(config: OrderConfig) -> gates.Context:
    """What runs beside the requests, once everything is open."""

    async def background(app: web.Application) -> AsyncIterator[None]:
        db, redis, shop = app[DATABASE], app[gates.REDIS], app[SHOP]
        gauges = BacklogGauges(db, app[METRICS])

        async def go_on() -> bool:
            # First, so that it is seen how long nothing goes on where recovering itself fails.
            await gauges.refresh()
            return await recover(shop)

        async def forget() -> bool:
            await IdempotencyKeys(db).forget_old()
            return False

        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                repeating(go_on, name="order-recovery", idle_seconds=config.recovery_seconds)
            )
            await stack.enter_async_context(
                repeating(
                    OverdueOrders(db, app[METRICS]).step,
                    name="overdue-service-orders",
                    idle_seconds=config.sweep_seconds,
                )
            )
            await stack.enter_async_context(
                repeating(forget, name="housekeeping", idle_seconds=_HOUR)
            )
            if redis is not None:
                relay = Relay(db, redis, registry=app[METRICS])
                await stack.enter_async_context(relay.running())
                consumer = Consumer(
                    db,
                    redis,
                    group="order",
                    # After a restart on the same host and port it resumes what it had.
                    name=f"{gethostname()}-{config.port}",
                    handlers=HANDLERS,
                    registry=app[METRICS],
                )
                await stack.enter_async_context(consumer.running())
                await stack.enter_async_context(housekeeping(db, redis, tuple(HANDLERS)))
            yield

    return background
