"""Response types for orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from lib.resource.views import view
from services.order.goods.service.shop import Found
from services.order.goods.store.models import GoodsStatus
from services.order.ports import User


class LineView(Struct, frozen=True, gc=False):
    """A product and its quantity. `unit_price` is the price at the time of the reservation."""

    product_id: UUID
    quantity: int
    unit_price: Decimal


class OrderView(Struct, frozen=True, kw_only=True):
    """An order of goods.

    `pending_validation` means that the user service did not respond when the order was placed. The
    order can be confirmed after the order service has validated the user. `user` is absent in
    lists, for a deleted account, and if the user service does not respond. `settled_at` is the time
    when the delivered order was recorded as paid.
    """

    id: UUID
    user_id: UUID
    status: GoodsStatus
    pending_validation: bool
    cancel_reason: Annotated[str, Meta(examples=["cancelled by the customer"])] | None
    total: Annotated[Decimal, Meta(examples=["12.50"])]
    currency: Annotated[str, Meta(examples=["EUR"])]
    lines: Sequence[LineView]
    user: User | UnsetType = UNSET
    version: int
    created_by: Annotated[str, Meta(examples=["user:01890000-0000-7000-8000-0000000000aa"])]
    updated_by: str
    created_at: datetime
    updated_at: datetime
    settled_at: datetime | None


def view_of(found: Found) -> OrderView:
    """Convert an order to its response type."""
    return view(
        OrderView,
        found.order,
        lines=[LineView(line.product_id, line.quantity, line.unit_price) for line in found.lines],
        user=UNSET if found.user is None else found.user,
    )
