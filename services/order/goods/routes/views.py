"""Orders as they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from lib.resource.views import view
from services.order.goods.store.models import GoodsOrder, GoodsOrderLine, GoodsStatus
from services.order.ports import User


class LineView(Struct, frozen=True, gc=False):
    """So many of one product, at the price of the moment they were reserved."""

    product_id: UUID
    quantity: int
    unit_price: Decimal


class OrderView(Struct, frozen=True, kw_only=True):
    """An order of goods.

    `pending_validation` says that the user could not be asked for when it was placed: it cannot be
    confirmed before that is made good. `user` is left out where the user service does not answer,
    where the user is gone, and in lists. `settled_at` is when it was paid for, after its delivery.
    """

    id: UUID
    user_id: UUID
    status: GoodsStatus
    pending_validation: bool
    cancel_reason: str | None
    total: Decimal
    currency: str
    lines: Sequence[LineView]
    user: User | UnsetType = UNSET
    version: int
    created_by: str
    updated_by: str
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None


def view_of(
    order: GoodsOrder, lines: Sequence[GoodsOrderLine], user: User | None = None
) -> OrderView:
    """Return what a caller is shown."""
    return view(
        OrderView,
        order,
        lines=[view(LineView, line) for line in lines],
        user=UNSET if user is None else user,
    )
