"""Events of an order of goods, published in the transaction of the change."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from lib import context
from lib.events import Topic, Unpublished, unpublished
from services.order.goods.store.models import GoodsOrder, GoodsStatus

_KINDS: Final = {
    GoodsStatus.PENDING: "order.created",
    GoodsStatus.CONFIRMED: "order.confirmed",
    GoodsStatus.SHIPPED: "order.shipped",
    GoodsStatus.DELIVERED: "order.delivered",
    GoodsStatus.CANCELLED: "order.cancelled",
}


class OrderEvent(Struct, frozen=True):
    """The payload of all order events: the customer, the total and the status."""

    order_id: UUID
    user_id: UUID
    status: GoodsStatus
    total: Decimal
    currency: str
    actor: str = "order"  # the caller, or the service itself if there was no caller


TOPIC: Final = Topic("orders", dict.fromkeys((*_KINDS.values(), "order.settled"), OrderEvent))


def order_event(event: OrderEvent) -> Unpublished:
    """Return the event about an order's new status, with the caller as actor."""
    payload = replace(event, actor=context.principal.get() or event.actor)
    return unpublished(
        topic=TOPIC, key=str(event.order_id), kind=_KINDS[event.status], payload=payload
    )


def settled_event(order: GoodsOrder) -> Unpublished:
    """Return the event `order.settled`, which means that a delivered order is paid."""
    payload = OrderEvent(
        order.id, order.user_id, GoodsStatus.DELIVERED, order.total, order.currency
    )
    return unpublished(topic=TOPIC, key=str(order.id), kind="order.settled", payload=payload)
