"""State transitions of an order of goods, and the callers who may make a transition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.order.goods.store.models import GoodsStatus

_NEXT: Final[Mapping[GoodsStatus, frozenset[GoodsStatus]]] = {
    GoodsStatus.PENDING: frozenset({GoodsStatus.CONFIRMED, GoodsStatus.CANCELLED}),
    GoodsStatus.CONFIRMED: frozenset({GoodsStatus.SHIPPED, GoodsStatus.CANCELLED}),
    GoodsStatus.SHIPPED: frozenset({GoodsStatus.DELIVERED}),
    GoodsStatus.DELIVERED: frozenset(),
    GoodsStatus.CANCELLED: frozenset(),
}


def may_follow(before: GoodsStatus, after: GoodsStatus) -> bool:
    """Return whether an order may change from the status `before` to the status `after`.

    An order cannot move to its own status.
    """
    return after in _NEXT[before]


def may_be_removed(status: GoodsStatus) -> bool:
    """Return whether an order may be deleted. An order in shipment may not be deleted."""
    return status is not GoodsStatus.SHIPPED
