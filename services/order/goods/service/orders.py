"""Read, list, update and delete orders that have been placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import UNSET, UnsetType

from lib.auth.guards import forbidden
from lib.db import Executor
from lib.errors import AppError, Code, not_found
from lib.resource.lists import Extent, Walk, page_or_walk_of
from lib.resource.rules import check_version, or_not_found
from lib.together import together
from services.order.goods.model.orders import ListOrders, OrderChange
from services.order.goods.model.status import may_be_removed, may_follow
from services.order.goods.service import finishing, settling
from services.order.goods.service.shop import Caller, Found, Shop, user_if_known
from services.order.goods.store import keyset, orders
from services.order.goods.store.models import (
    GoodsOrder,
    GoodsOrderLine,
    GoodsStatus,
    GoodsStock,
)

_REASONS: Final = {True: "cancelled by the staff", False: "cancelled by the customer"}
_NOUN: Final = "order"
_REMOVED: Final = "deleted by the staff"


async def get(shop: Shop, order_id: UUID, caller: Caller) -> Found:
    """Return an order with its user. Raises NOT_FOUND, also for an order of another customer."""
    order = await _visible(shop.db, order_id, caller)
    async with together() as group:
        lines = group.create_task(orders.list_lines(shop.db, order_ids=[order.id]))
        user = group.create_task(user_if_known(shop, order))
    return Found(order, lines.result(), user.result())


async def list_page(
    db: Executor, wanted: ListOrders, caller: Caller
) -> tuple[Sequence[Found], Extent]:
    """Return the page of matching orders that `wanted` selects by a page number or a cursor.

    The staff sees all orders; customers see their own orders.

    Raises:
        AppError: FORBIDDEN if a caller outside the staff requests orders of other users or removed
            orders.
    """
    user_id = _whose(wanted, caller)
    everybodys = (orders.list_orders, orders.walk_orders)
    list_, walk = everybodys if caller.staff else (orders.list_orders_of, orders.walk_orders_of)
    found, total = await page_or_walk_of(
        wanted,
        list_,
        Walk(walk, keyset),
        db,
        sort=wanted.sql_sort,
        statuses=wanted.statuses,
        created_from=wanted.since,
        created_to=wanted.until,
        deleted=wanted.deleted,
        user_id=user_id,
        product_id=_given(wanted.product_id),
    )
    lines = await _lines_of(db, found)
    return [Found(order, lines.get(order.id, ())) for order in found], total


async def change(
    shop: Shop, order_id: UUID, wanted: OrderChange, *, version: int | None, caller: Caller
) -> Found:
    """Update the status of an order. An empty change has no effect.

    Args:
        shop: the database and the clients of other services.
        order_id: the order to update.
        wanted: the new status.
        version: the version that the caller has seen, or None for any version.
        caller: the caller; a customer may only cancel.

    Raises:
        AppError: NOT_FOUND; PRECONDITION_FAILED if the order has changed since; FORBIDDEN; CONFLICT
            if the order cannot move from its current status to the new one, or not yet.
    """
    async with shop.db.transaction() as tx:
        order = await _locked(tx, order_id, version, caller)
        if wanted.status is UNSET:
            return Found(order, await orders.list_lines(tx, order_ids=[order.id]))
        after = wanted.status
        _check_step(order, after, caller)
        if after is GoodsStatus.CANCELLED:
            await finishing.cancel(
                tx,
                order,
                actor=caller.subject,
                reason=_REASONS[caller.subject != str(order.user_id)],
                lease_seconds=shop.lease_seconds,
            )
        else:
            await orders.move_order(
                tx,
                id=order.id,
                status=after,
                updated_by=caller.subject,
                lease_seconds=shop.lease_seconds,
            )
        changed = await _visible(tx, order.id, caller)
        if after is not GoodsStatus.CANCELLED:
            await finishing.publish_status(tx, changed)
        lines = await orders.list_lines(tx, order_ids=[order.id])
    if changed.stock is GoodsStock.RETURNING:
        await finishing.try_now(shop, changed)
    if changed.status is GoodsStatus.DELIVERED:
        await settling.try_now(shop, changed)
    return Found(changed, lines)


async def remove(shop: Shop, order_id: UUID, *, version: int | None, caller: Caller) -> None:
    """Mark an order as deleted. If the order is not shipped yet, cancel it first.

    Raises:
        AppError: NOT_FOUND; PRECONDITION_FAILED; CONFLICT while the order is shipped and not
            delivered.
    """
    async with shop.db.transaction() as tx:
        order = await _locked(tx, order_id, version, caller)
        if not may_be_removed(order.status):
            raise AppError(Code.CONFLICT, "an order in shipment cannot be deleted")
        gives_back = may_follow(order.status, GoodsStatus.CANCELLED)
        if gives_back:
            await finishing.cancel(
                tx,
                order,
                actor=caller.subject,
                reason=_REMOVED,
                lease_seconds=shop.lease_seconds,
            )
        await orders.remove_order(tx, id=order.id, updated_by=caller.subject)
        removed = await orders.lock_order(tx, id=order.id)
    if gives_back and removed is not None:
        await finishing.try_now(shop, removed)


def _check_step(order: GoodsOrder, after: GoodsStatus, caller: Caller) -> None:
    if after is not GoodsStatus.CANCELLED and not caller.staff:
        raise forbidden("only the staff may set this status; you may cancel the order")
    if not may_follow(order.status, after):
        raise AppError(Code.CONFLICT, f"a {order.status} order cannot become {after}")
    if after is not GoodsStatus.CONFIRMED:
        return
    if order.pending_validation:
        raise AppError(Code.CONFLICT, "the user is not validated yet; try again later")
    if order.stock is not GoodsStock.SOLD:
        raise AppError(
            Code.CONFLICT, "the reservation of the products is not confirmed yet; try again"
        )


async def _locked(tx: Executor, order_id: UUID, version: int | None, caller: Caller) -> GoodsOrder:
    if caller.owner is None:
        order = await orders.lock_order(tx, id=order_id)
    else:
        order = await orders.lock_order_of(tx, id=order_id, user_id=caller.owner)
    if order is None or order.deleted_at is not None:
        raise not_found(_NOUN)
    check_version(version, order.version)
    return order


async def _visible(db: Executor, order_id: UUID, caller: Caller) -> GoodsOrder:
    if caller.owner is None:
        return or_not_found(await orders.get_order(db, id=order_id), _NOUN)
    found = await orders.get_order_of(db, id=order_id, user_id=caller.owner)
    return or_not_found(found, _NOUN)


def _whose(wanted: ListOrders, caller: Caller) -> UUID | None:
    """Return the customer whose orders to list. None means all customers."""
    asked = _given(wanted.user_id)
    if caller.owner is None:
        return asked
    if wanted.deleted or asked not in (None, caller.owner):
        raise forbidden()
    return caller.owner


def _given(value: UUID | UnsetType) -> UUID | None:
    return None if value is UNSET else value


async def _lines_of(
    db: Executor, found: Sequence[GoodsOrder]
) -> Mapping[UUID, list[GoodsOrderLine]]:
    if not found:
        return {}
    lines: dict[UUID, list[GoodsOrderLine]] = {order.id: [] for order in found}
    for line in await orders.list_lines(db, order_ids=list(lines)):
        lines[line.order_id].append(line)
    return lines
