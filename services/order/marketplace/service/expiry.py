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
    """Expire a batch of overdue orders. Return the number of expired orders.

    Several processes can call this function at the same time: each process skips the orders that
    another one has locked. In the same transaction, the pending offers of these orders are
    rejected, and events are published.

    Raises:
        AppError: if the database is unavailable; nothing has changed then.
    """
    async with db.transaction() as tx:
        overdue = await store.lock_overdue_orders(tx, until=clock(), batch_size=_BATCH)
        await orders.take(tx, overdue, OrderStep.EXPIRE)
    if overdue:
        log.info("service_orders_expired", count=len(overdue))
    return len(overdue)
