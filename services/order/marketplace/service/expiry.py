"""Expire service orders whose time window ended without an accepted offer."""

from __future__ import annotations

from typing import Final

from lib.clock import Clock, utc_now
from lib.db import Database
from lib.log import get_logger
from services.order.marketplace.service import orders
from services.order.marketplace.service.steps import OrderStep
from services.order.marketplace.store import service_orders as store

log = get_logger(__name__)

_BATCH: Final = 50


async def expire(db: Database, *, clock: Clock = utc_now) -> int:
    """Expire some overdue orders. Return how many.

    Any number of processes may do so at once: each takes what no other one has. The offers that
    still waited are rejected, and others are told, in the same transaction.

    Raises:
        AppError: where the database is away; nothing is half done.
    """
    async with db.transaction() as tx:
        overdue = await store.lock_overdue_orders(tx, until=clock(), batch_size=_BATCH)
        await orders.take(tx, overdue, OrderStep.EXPIRE)
    if overdue:
        log.info("service_orders_expired", count=len(overdue))
    return len(overdue)
