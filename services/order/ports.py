"""Interfaces to the services that order calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Protocol
from uuid import UUID

from msgspec import Meta, Struct


class User(Struct, frozen=True, gc=False):
    """The account of the customer, with the fields that an order includes."""

    id: UUID
    name: Annotated[str, Meta(examples=["Ada Lovelace"])]
    email: Annotated[str, Meta(examples=["ada@example.com"])]
    active: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A reserved product: its quantity and price."""

    product_id: UUID
    quantity: int
    unit_price: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """The reservation of an order in the product service."""

    id: UUID
    lines: Sequence[Held]


class Users(Protocol):
    """Source of users."""

    async def find(self, user_id: UUID) -> User | None:
        """Return the user, or None if it does not exist.

        Raises:
            AppError: SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN where nobody can say.
        """
        ...


class Catalog(Protocol):
    """Source of the services that can be ordered."""

    async def has_service(self, service_id: UUID) -> bool:
        """Return whether the catalog has the service. Raises as `Users.find`."""
        ...


class Products(Protocol):
    """Source of stock and prices. Each call is idempotent.

    Besides what is said below each raises AppError SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or
    CIRCUIT_OPEN where there was no answer; the step may have been taken all the same.
    """

    async def reserve(
        self, key: UUID, quantities: Mapping[UUID, int], min_stocks: Mapping[UUID, int]
    ) -> Reservation:
        """Reserve all products or none. A repeated `key` returns the same reservation.

        Of a product that `min_stocks` names so many must be in stock.

        Raises:
            AppError: CONFLICT, naming the products that cannot be had, where nothing is set aside.
        """
        ...

    async def confirm(self, reservation_id: UUID) -> bool:
        """Confirm a reservation. Return False if it has expired or was released."""
        ...

    async def release(self, reservation_id: UUID) -> None:
        """Return the products to the stock, even after a confirmation."""
        ...


class Payments(Protocol):
    """The payment provider. A repeated request does not charge twice."""

    async def settled(self, order_id: UUID, total: Decimal, currency: str) -> bool:
        """Request the payment of a delivered order. Return whether it is paid.

        Raises:
            AppError: where nobody can say; the order is asked about again.
        """
        ...
