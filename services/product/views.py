"""Response types for reservations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from lib.resource.views import view
from services.product.model.reservations import Reserved
from services.product.store.at_once.models import LineView
from services.product.store.postgres.models import ReservationStatus


class ReservationView(Struct, frozen=True):
    """A reservation. An unconfirmed reservation releases its products at `expires_at`."""

    id: UUID
    status: ReservationStatus
    expires_at: datetime
    lines: Annotated[
        Sequence[LineView],
        Meta(description="products with their prices at the time of the reservation"),
    ]
    created_at: datetime
    updated_at: datetime


class ConfirmedView(Struct, frozen=True):
    """The reservations that were pending before the request and are confirmed now."""

    ids: Sequence[UUID]


def view_of(found: Reserved) -> ReservationView:
    """Convert a reservation to its response type."""
    lines = [view(LineView, line) for line in found.lines]
    return view(ReservationView, found.reservation, lines=lines)
