"""Interfaces to the services that the order service calls."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Final, Protocol
from uuid import UUID

from msgspec import Meta, Struct

from lib.errors import Code

# The upstream did not respond, or not in time. It may have done the work all the same.
NO_ANSWER: Final = frozenset({Code.SERVICE_UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CIRCUIT_OPEN})


class User(Struct, frozen=True, gc=False):
    """The account of the customer, with the fields that an order includes."""

    id: UUID
    name: Annotated[str, Meta(examples=["Ada Lovelace"])]
    email: Annotated[str, Meta(examples=["ada@example.com"])]
    active: bool


class Wanted(Struct, frozen=True, gc=False):
    """A product to reserve, the quantity to reserve, and the quantity that must be in stock."""

    product_id: UUID
    quantity: int
    min_stock: int = 0


class Held(Struct, frozen=True, gc=False):
    """A reserved product: its quantity and price."""

    product_id: UUID
    quantity: int
    unit_price: Decimal
    currency: str


class Reservation(Struct, frozen=True):
    """The reservation of an order in the product service."""

    id: UUID
    status: str
    lines: list[Held]


class Users(Protocol):
    """Source of users."""

    async def find(self, user_id: UUID) -> User | None:
        """Return the user, or None if the user does not exist.

        Raises:
            AppError: SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN if the user service
                does not respond.
        """
        ...


class Catalog(Protocol):
    """Source of the services that can be ordered."""

    async def has_service(self, service_id: UUID) -> bool:
        """Return whether the catalog has the service. Raises the errors of `Users.find`."""
        ...


class Products(Protocol):
    """Source of stock and prices. Each call is idempotent.

    Every method raises AppError SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN if there was
    no response. The step may have been executed in this case.
    """

    async def reserve(self, key: UUID, lines: Sequence[Wanted]) -> Reservation:
        """Reserve all lines or none. A repeated `key` returns the same reservation.

        Raises:
            AppError: CONFLICT, which names the unavailable products; nothing is reserved then.
        """
        ...

    async def confirm(self, reservation_id: UUID) -> bool:
        """Confirm a reservation. Return False if the reservation has expired or was released."""
        ...

    async def release(self, reservation_id: UUID) -> None:
        """Put the products of a reservation back into stock, even if it was confirmed."""
        ...


class Payments(Protocol):
    """The payment provider. A repeated request does not charge twice."""

    async def settled(self, order_id: UUID, total: Decimal, currency: str) -> bool:
        """Request the payment of a delivered order. Return whether the order is paid.

        Raises:
            AppError: if the payment service does not respond; the order is checked again later.
        """
        ...
