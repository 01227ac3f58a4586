"""Check whether delivered orders are paid, and publish that a paid order is settled."""

from __future__ import annotations

import asyncio
from typing import Final

from lib.errors import AppError
from lib.events import outbox
from lib.log import get_logger
from services.order.goods.service.events import settled_event
from services.order.goods.service.shop import Shop
from services.order.goods.store import orders
from services.order.goods.store.models import GoodsOrder

log = get_logger(__name__)

_BATCH: Final = 20


async def settle(shop: Shop, order: GoodsOrder) -> bool:
    """Return whether a delivered order is paid, and publish the payment of a paid order.

    Raises:
        AppError: if the payment service does not respond; repeat the call.
    """
    if not await shop.payments.settled(order.id, order.total, order.currency):
        return False
    async with shop.db.transaction() as tx:
        if await orders.note_settled(tx, id=order.id):
            await outbox.write(tx, settled_event(order))
    return True


async def try_now(shop: Shop, order: GoodsOrder) -> None:
    """Settle the order now if possible. Otherwise `settle_due` settles the order later."""
    try:
        await settle(shop, order)
    except AppError as error:
        log.warning("order_not_settled", order_id=str(order.id), error=error)


async def settle_due(shop: Shop) -> bool:
    """Check the payment of some unsettled orders. Return whether any orders were unsettled.

    Several processes can call this function at the same time. An order is checked again after the
    lease.

    Raises:
        AppError: if the database of the service is unavailable.
    """
    due = await orders.claim_unsettled(shop.db, lease_seconds=shop.lease_seconds, batch_size=_BATCH)
    # aiosqlc_loops: each order is settled alone, because it waits for the answer of the payment
    await asyncio.gather(*(try_now(shop, order) for order in due))
    return bool(due)
