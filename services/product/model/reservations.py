"""Request types for reservations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from lib.errors import FieldError, invalid
from lib.resource.input import Input
from services.product.store.postgres.models import Reservation, ReservationLine

MAX_LINES: Final = 100


class Line(Input, frozen=True, kw_only=True):
    """A product and its quantity."""

    product_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    min_stock: Annotated[
        int,
        Meta(
            ge=0, le=2_000_000_000, description="required available quantity before the reservation"
        ),
    ] = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product, the quantity to reserve, and the stock it requires."""

    quantity: int
    min_stock: int


class NewReservation(Input, frozen=True, kw_only=True):
    """Products to reserve together. The reservation succeeds only if every product is available."""

    lines: Annotated[list[Line], Meta(min_length=1, max_length=MAX_LINES)]
    ttl_seconds: Annotated[
        int, Meta(ge=1, le=86_400, description="expiry time; it does not apply after confirmation")
    ] = 900

    def wanted(self) -> dict[UUID, Wanted]:
        """Return the quantity of each product, in the order of the lines.

        Raises:
            AppError: VALIDATION_ERROR where two lines name the same product.
        """
        found: dict[UUID, Wanted] = {}
        for index, line in enumerate(self.lines):
            if line.product_id in found:
                field = f"lines[{index}].product_id"
                raise invalid(FieldError(field, "is already in another line"))
            found[line.product_id] = Wanted(line.quantity, line.min_stock)
        return found


@dataclass(frozen=True, slots=True)
class Reserved:
    """A reservation with its lines, and whether an earlier request made it."""

    reservation: Reservation
    lines: Sequence[ReservationLine]
    replayed: bool = False
