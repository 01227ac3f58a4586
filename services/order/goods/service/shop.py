"""The dependencies of the use cases of goods orders, and the caller of a use case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lib.coalesce import Coalesced
from lib.db import Database
from lib.errors import AppError
from lib.log import get_logger
from services.order.goods.model.holding import HoldingLimits
from services.order.goods.store.models import GoodsOrder, GoodsOrderLine
from services.order.ports import Held, Payments, Products, User, Users

log = get_logger(__name__)

# The actor of changes without a caller.
SYSTEM: Final = "system"


@dataclass(frozen=True, slots=True)
class Shop:
    """The database of the service and the clients of other services. Times are in seconds.

    If an order has no progress for `lease_seconds`, its process counts as dead: another process
    continues the order. A draft older than `draft_seconds` is deleted, because its client has long
    stopped waiting. `limits` apply to orders that customers place themselves. `sold` records which
    orders are sold.
    """

    db: Database
    users: Users
    products: Products
    payments: Payments
    lease_seconds: float
    draft_seconds: float
    limits: HoldingLimits
    sold: Coalesced[UUID, GoodsOrder]


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller. A customer sees and changes only the orders of the customer `owner`.

    `owner` is None for the staff, who may see and change all orders.
    """

    subject: str
    owner: UUID | None

    @property
    def staff(self) -> bool:
        """Return whether the caller belongs to the staff."""
        return self.owner is None


@dataclass(frozen=True, slots=True)
class Found:
    """An order with its lines and, if requested and available, its user."""

    order: GoodsOrder
    lines: Sequence[GoodsOrderLine] | Sequence[Held]
    user: User | None = None
    replayed: bool = False  # the request had placed it before


async def user_if_known(shop: Shop, order: GoodsOrder) -> User | None:
    """Return the user of an order, or None if there is none or the user service is unavailable."""
    try:
        return await shop.users.find(order.user_id)
    except AppError as error:
        log.warning("user_not_shown", order_id=str(order.id), error=error)
        return None
