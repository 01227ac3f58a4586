"""Cancel orders that no one confirms in time, which releases their stock."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lib.clock import Clock, utc_now
from lib.log import get_logger
from services.order.goods.service import finishing
from services.order.goods.service.shop import SYSTEM, Shop
from services.order.goods.store import orders

log = get_logger(__name__)

REASON: Final = "not confirmed in time"
_BATCH: Final = 20


async def expire(shop: Shop, *, after: timedelta, clock: Clock = utc_now) -> bool:
    """Cancel a batch of orders that were not confirmed within `after`.

    Return whether any order was cancelled.

    Several processes can call this function at the same time: each process skips the orders that
    another one has locked. If the stock cannot be returned at once, the recovery loop returns it.

    Raises:
        AppError: if the database of the service is unavailable.
    """
    async with shop.db.transaction() as tx:
        late = await orders.lock_unconfirmed(tx, before=clock() - after, batch_size=_BATCH)
        if not late:
            return False
        cancelled = await finishing.cancel(
            tx, *late, actor=SYSTEM, reason=REASON, lease_seconds=shop.lease_seconds
        )
    for order in cancelled:
        # aiosqlc_loops: the product service takes back each order's stock, before we record it
        await finishing.try_now(shop, order)
        log.info("order_expired", order_id=str(order.id))
    return True
