"""What the order service asks of other services, whoever answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from msgspec import Struct


class User(Struct, frozen=True, gc=False):
    """The account of the customer, with the fields that an order includes."""

    id: UUID
    name: str
    email: str
    active: bool


@dataclass(frozen=True, slots=True)
class Held:
    """So many of one product, set aside at a price."""

    product_id: UUID
    quantity: int
    unit_price: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """What the product service holds for an order."""

    id: UUID
    lines: Sequence[Held]


class Users(Protocol):
    """Where people come from."""

    async def find(self, user_id: UUID) -> User | None:
        """Return the user, None where there is none.

        Raises:
            AppError: SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN where nobody can say.
        """
        ...


class Catalog(Protocol):
    """Where the services that can be ordered come from."""

    async def has_service(self, service_id: UUID) -> bool:
        """Return whether the catalogue has the service; raises as `Users.find`."""
        ...


class Products(Protocol):
    """Where stock and prices come from. Every step may be repeated: it is taken once.

    Besides what is said below each raises AppError SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or
    CIRCUIT_OPEN where there was no answer; the step may have been taken all the same.
    """

    async def reserve(
        self, key: UUID, quantities: Mapping[UUID, int], min_stocks: Mapping[UUID, int]
    ) -> Reservation:
        """Set aside so many of each product, or nothing; the same `key` gets the same reservation.

        Of a product that `min_stocks` names so many must be in stock.

        Raises:
            AppError: CONFLICT, naming the products that cannot be had, where nothing is set aside.
        """
        ...

    async def confirm(self, reservation_id: UUID) -> bool:
        """Sell what is set aside; False where it has expired or was given back."""
        ...

    async def release(self, reservation_id: UUID) -> None:
        """Return the products to the stock, also those that were sold."""
        ...


class Payments(Protocol):
    """Who collects what an order comes to. May be asked again: it is paid once."""

    async def settled(self, order_id: UUID, total: Decimal, currency: str) -> bool:
        """Ask for what has been delivered to be paid; whether it is.

        Raises:
            AppError: where nobody can say; the order is asked about again.
        """
        ...
