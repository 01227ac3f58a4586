"""Build the order service from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from aiohttp import web

from lib.auth.remote import remote_verifier
from lib.coalesce import Coalesced
from lib.component import Component
from lib.events import Relay, consuming
from lib.events.background import repeating
from lib.http.app import BROKER, DATABASE, HEALTH, METRICS, new_app
from lib.http.components import add_background, add_database
from lib.http.middleware.install import install_middleware
from lib.idempotency import IdempotencyKeys
from services.order.config import OrderConfig
from services.order.event_handlers import HANDLERS
from services.order.goods import store as goods
from services.order.goods.backlog import BacklogGauges
from services.order.goods.payments import SettlesAtOnce
from services.order.goods.routes.deps import SHOP
from services.order.goods.service.expiring import expire as expire_orders
from services.order.goods.service.finishing import note_sold
from services.order.goods.service.recovery import recover
from services.order.goods.service.settling import settle_due
from services.order.goods.service.shop import Shop
from services.order.marketplace import store as marketplace
from services.order.marketplace.overdue import OverdueOrders
from services.order.marketplace.routes.deps import CATALOG
from services.order.marketplace.self_dealing import SelfDealing
from services.order.marketplace.service.confirmation import confirm_silent
from services.order.ports import Payments
from services.order.routes import ROUTES
from services.order.upstreams import open_upstreams

_HOUR = 3600.0
_PAYMENTS = SettlesAtOnce()
_OWN_KEYS = ("/api/v1/orders",)
_RESUMABLE = ("/api/v1/service-orders",)


# The trusted producer of each topic that is consumed.
PRODUCERS: Final[Mapping[str, str]] = {
    "users": "user",
}


def create_app(config: OrderConfig, payments: Payments = _PAYMENTS) -> web.Application:
    """Return the application, which connects to the database when it starts.

    Args:
        config: the settings from the environment.
        payments: the client that collects the payments of orders.
    """
    app = new_app(
        "order",
        config,
        ROUTES,
        description="Orders of goods, service orders, offers, jobs and reviews.",
    )
    add_database(app, config, goods, marketplace)
    app.cleanup_ctx.append(partial(_upstreams, config, payments))
    install_middleware(
        app,
        config,
        remote_verifier(config),
        idempotency=True,
        resumable=_RESUMABLE,
        own_keys=_OWN_KEYS,
    )
    add_background(app, lambda: _background(app, config))
    return app


async def _upstreams(
    config: OrderConfig, payments: Payments, app: web.Application
) -> AsyncIterator[None]:
    async with open_upstreams(config, registry=app[METRICS]) as upstreams:
        # Not required, because most of the service works without a token: `/readyz` only shows it.
        app[HEALTH].add("service-token", upstreams.signed_in, required=False)
        app[CATALOG] = upstreams.catalog
        app[SHOP] = Shop(
            app[DATABASE],
            upstreams.users,
            upstreams.products,
            payments,
            lease_seconds=config.lease_seconds,
            draft_seconds=config.draft_seconds,
            limits=config.holding_limits(),
            sold=Coalesced(partial(note_sold, app[DATABASE])),
        )
        yield


def _background(app: web.Application, config: OrderConfig) -> Iterator[Component]:
    db, broker, registry = app[DATABASE], app[BROKER], app[METRICS]
    gauges, overdue = BacklogGauges(db, registry), OverdueOrders(db, registry)

    async def resume() -> bool:
        # First, so that the gauges are current even if the recovery itself fails.
        await gauges.refresh()
        return await recover(app[SHOP])

    suspects = SelfDealing(db, registry)

    async def confirm() -> bool:
        window = timedelta(seconds=config.objection_seconds)
        return await confirm_silent(db, window=window) > 0

    async def settle() -> bool:
        return await settle_due(app[SHOP])

    async def expire() -> bool:
        return await expire_orders(app[SHOP], after=timedelta(seconds=config.pending_seconds))

    async def forget() -> bool:
        await IdempotencyKeys(db).forget_old()
        return False

    yield repeating(
        resume, name="order-recovery", idle_seconds=config.recovery_seconds, registry=registry
    )
    yield repeating(
        settle, name="settlement", idle_seconds=config.recovery_seconds, registry=registry
    )
    yield repeating(
        expire, name="unconfirmed-orders", idle_seconds=config.sweep_seconds, registry=registry
    )
    yield repeating(
        overdue.step,
        name="overdue-service-orders",
        idle_seconds=config.sweep_seconds,
        registry=registry,
    )
    yield repeating(
        confirm, name="silent-jobs", idle_seconds=config.sweep_seconds, registry=registry
    )
    yield repeating(suspects.step, name="self-dealing", idle_seconds=60.0, registry=registry)
    yield repeating(forget, name="housekeeping", idle_seconds=_HOUR, registry=registry)
    if broker is not None:
        yield Relay(db, broker, registry=registry, signer=config.event_signer()).running()
        yield consuming(config, db, broker, HANDLERS, PRODUCERS, group="order", registry=registry)
