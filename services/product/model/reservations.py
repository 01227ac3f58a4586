"""Request types for reservations, their caller, and the check for shortages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from msgspec import Meta

from lib.errors import FieldError
from lib.resource.input import Input
from services.product.store.at_once.models import LineView
from services.product.store.postgres.models import (
    Product,
    ProductStatus,
    Reservation,
    ReservationLine,
)

MAX_LINES: Final = 100


class Line(Input, frozen=True, kw_only=True):
    """A product and its quantity."""

    product_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    min_stock: Annotated[
        int,
        Meta(
            ge=0,
            le=2_000_000_000,
            description="minimum stock before the reservation; with less, nothing is reserved",
        ),
    ] = 0


class NewReservation(Input, frozen=True, kw_only=True):
    """Products to reserve together. The reservation succeeds only if every product is available."""

    lines: Annotated[list[Line], Meta(min_length=1, max_length=MAX_LINES)]
    ttl_seconds: Annotated[
        int, Meta(ge=1, le=86_400, description="seconds until an unconfirmed reservation expires")
    ] = 900


class Confirmation(Input, frozen=True, kw_only=True):
    """Reservations to confirm together."""

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller. A `trusted` caller may see, confirm and release any reservation."""

    subject: str
    trusted: bool


# As the rows of the table, or as the response that a single statement returns.
ReservedLines: TypeAlias = Sequence[ReservationLine] | Sequence[LineView]


@dataclass(frozen=True, slots=True)
class Reserved:
    """A reservation with its lines, and whether an earlier request made it."""

    reservation: Reservation
    lines: ReservedLines
    replayed: bool = False


def shortages(lines: Sequence[Line], found: Sequence[Product]) -> Iterator[FieldError]:
    """Yield an error for each line whose quantity exceeds the stock of its product."""
    for_sale = {p.id: p.stock for p in found if p.status is ProductStatus.ACTIVE}
    for index, line in enumerate(lines):
        left = for_sale.get(line.product_id)
        if left is None:
            yield FieldError(f"lines[{index}].product_id", "is not for sale")
        elif left < line.quantity:
            yield FieldError(f"lines[{index}].quantity", f"only {left} left")
        elif left < line.min_stock:
            why = f"is more than a customer may reserve: only {left} are left"
            yield FieldError(f"lines[{index}].quantity", why)
