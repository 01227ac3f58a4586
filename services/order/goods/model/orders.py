"""Request types for orders of goods."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lib.clock import in_utc
from lib.resource.input import Input
from lib.resource.lists import CursorListQuery, Sort, orders_of
from services.order.goods.store.models import GoodsStatus

MAX_LINES: Final = 100
MAX_QUANTITY: Final = 10_000

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


class OrderLine(Input, frozen=True, kw_only=True):
    """One order line: a product and its quantity. The price is fixed when stock is reserved."""

    product_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class NewOrder(Input, frozen=True, kw_only=True):
    """An order to create. All products must be available and have prices in the same currency."""

    lines: Annotated[list[OrderLine], Meta(min_length=1, max_length=MAX_LINES)]
    user_id: Annotated[
        UUID | None,
        Meta(description="customer to order for (default: the caller); only staff may set another"),
    ] = None


class OrderChange(Input, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values."""

    status: GoodsStatus | UnsetType = UNSET


_Moment = Annotated[datetime, Meta(tz=True)]


class ListOrders(CursorListQuery, frozen=True, kw_only=True):
    """The query parameters of the list of orders. By default, the newest orders come first."""

    order_by: Annotated[Literal["created_at", "total"], orders_of("orders")] = "created_at"
    sort: Annotated[Sort, Meta(description="direction")] = Sort.DESC
    # Not `| None`: in a query string that would let the word null pass for nothing.
    user_id: (
        Annotated[
            UUID, Meta(description="only orders of this customer; only staff may send another ID")
        ]
        | UnsetType
    ) = UNSET
    status: GoodsStatus | UnsetType = UNSET
    product_id: (
        Annotated[UUID, Meta(description="only orders that contain this product")] | UnsetType
    ) = UNSET
    created_from: (
        Annotated[_Moment, Meta(description="only orders created from this time on")] | UnsetType
    ) = UNSET
    created_to: (
        Annotated[_Moment, Meta(description="only orders created before this time")] | UnsetType
    ) = UNSET
    deleted: Annotated[bool, Meta(description="include deleted orders; only for staff")] = False

    @property
    def statuses(self) -> list[GoodsStatus]:
        """Return the requested statuses."""
        return list(GoodsStatus) if self.status is UNSET else [self.status]

    @property
    def since(self) -> datetime:
        """Return the start of the requested period."""
        return _EARLIEST if self.created_from is UNSET else in_utc(self.created_from)

    @property
    def until(self) -> datetime:
        """Return the end of the requested period, exclusive."""
        return _LATEST if self.created_to is UNSET else in_utc(self.created_to)
