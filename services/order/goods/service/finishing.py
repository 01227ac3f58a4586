"""Steps to do after an order has been committed. Each step is idempotent and can run later.

A request takes these steps at once if possible; the `recovery` loop takes the remaining steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from lib.db import Executor
from lib.errors import AppError
from lib.events import outbox
from lib.log import get_logger
from services.order.goods.service.events import OrderEvent, order_event
from services.order.goods.service.shop import SYSTEM, Shop
from services.order.goods.store import orders
from services.order.goods.store.models import GoodsOrder, GoodsStock

log = get_logger(__name__)

NO_USER: Final = "user not found"
INACTIVE_USER: Final = "user is not active"
_EXPIRED: Final = "the reservation of the products has expired"


async def cancel(
    tx: Executor, *locked: GoodsOrder, actor: str, reason: str, lease_seconds: float
) -> Sequence[GoodsOrder]:
    """Cancel orders that `tx` has locked, and return the cancelled orders.

    The stock of the orders is returned after the commit.
    """
    cancelled = await orders.cancel_orders(
        tx,
        ids=[order.id for order in locked],
        reason=reason,
        updated_by=actor,
        lease_seconds=lease_seconds,
    )
    await publish_status(tx, *cancelled)
    return cancelled


async def publish_status(tx: Executor, *changed: GoodsOrder) -> None:
    """Publish the new statuses of orders."""
    events = (
        OrderEvent(order.id, order.user_id, order.status, order.total, order.currency)
        for order in changed
    )
    await outbox.write(tx, *map(order_event, events))


async def confirm_stock(shop: Shop, order: GoodsOrder) -> GoodsOrder | None:
    """Confirm the reservation of the order. Cancel the order if the reservation has expired.

    Return the order if this call recorded the sale, else None.

    Raises:
        AppError: if the product service or the database did not respond; the caller may retry.
    """
    if await shop.products.confirm(order.reservation_id):
        return await shop.sold.find(order.id)
    async with shop.db.transaction() as tx:
        current = await orders.lock_order(tx, id=order.id)
        if current is None or current.stock is not GoodsStock.RESERVED:
            return None
        await cancel(tx, current, actor=SYSTEM, reason=_EXPIRED, lease_seconds=shop.lease_seconds)
    await give_back(shop, current)
    return None


async def note_sold(db: Executor, ids: Sequence[UUID]) -> Mapping[UUID, GoodsOrder]:
    """Record that the stock of orders is sold. Return only the orders that this call changed."""
    return {order.id: order for order in await orders.note_sold(db, ids=sorted(ids))}


async def give_back(shop: Shop, order: GoodsOrder) -> None:
    """Put the products of a cancelled order back into stock.

    Raises the errors of `confirm_stock`.
    """
    await shop.products.release(order.reservation_id)
    await orders.note_returned(shop.db, id=order.id)


async def validate(shop: Shop, order: GoodsOrder) -> None:
    """Cancel the order unless the user still exists and is active.

    Raises:
        AppError: if the user service or the database did not respond; repeat the call.
    """
    user = await shop.users.find(order.user_id)
    if user is not None and user.active:
        await orders.validate_order(shop.db, id=order.id)
        return
    async with shop.db.transaction() as tx:
        current = await orders.lock_order(tx, id=order.id)
        if current is None or not current.pending_validation:
            return
        reason = NO_USER if user is None else INACTIVE_USER
        await cancel(tx, current, actor=SYSTEM, reason=reason, lease_seconds=shop.lease_seconds)
    await give_back(shop, current)


async def try_now(shop: Shop, order: GoodsOrder) -> GoodsOrder:
    """Confirm the order's reservation, or put its products back into stock, as its state requires.

    After a failure, the recovery loop retries. Return the order in its new state.
    """
    try:
        if order.stock is GoodsStock.RESERVED:
            if (sold := await confirm_stock(shop, order)) is not None:
                return sold
        elif order.stock is GoodsStock.RETURNING:
            await give_back(shop, order)
    except AppError as error:
        log.warning("order_left_to_recovery", order_id=str(order.id), error=error)
    return await orders.get_order_of(shop.db, id=order.id, user_id=order.user_id) or order
