"""The steps of a reservation in one statement each, where the engine can.

Most of what an order costs here is round trips. What cannot be done so is left as it is, for the
steps one by one to say why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from lib.db import Executor
from lib.db.engine import Engine, engine_of
from lib.db.errors import SerializationFailureError
from lib.events import Unpublished, unpublished
from lib.ids import new_id
from services.product.service.events import RESERVATIONS
from services.product.store.at_once import reservations as store
from services.product.store.postgres.models import (
    Reservation,
    ReservationLine,
    ReservationStatus,
)

_MADE: Final = "reservation.made"
_CONFIRMED: Final = "reservation.confirmed"


async def reserve(
    db: Executor, wanted: Reservation, quantities: Mapping[UUID, int]
) -> Sequence[ReservationLine]:
    """Set aside every line and return them; nothing where that cannot be had, or not so.

    Raises:
        AppError: UniqueViolationError where the same request was here before.
    """
    if engine_of(db) is not Engine.POSTGRES:
        return ()
    event = _event(wanted.id, _MADE)
    try:
        rows = await store.reserve(
            db,
            product_ids=list(quantities),
            quantities=list(quantities.values()),
            movement_ids=[new_id() for _ in quantities],
            id=wanted.id,
            owner=wanted.owner,
            request_key=wanted.request_key,
            expires_at=wanted.expires_at,
            now=wanted.created_at,
            event_id=event.id,
            lane=event.lane,
            topic=event.topic,
            kind=event.kind,
            request_id=event.request_id,
            traceparent=event.traceparent,
        )
    except SerializationFailureError:
        return ()
    return [
        ReservationLine(wanted.id, row.product_id, row.quantity, row.unit_price, row.currency)
        for row in rows
    ]


async def confirm(
    db: Executor, reservation_id: UUID, *, owner: str, trusted: bool, now: datetime
) -> tuple[Reservation, Sequence[ReservationLine]] | None:
    """Sell what is set aside for `owner`, for anybody where `trusted`; None where it is not so."""
    if engine_of(db) is not Engine.POSTGRES:
        return None
    event = _event(reservation_id, _CONFIRMED)
    try:
        rows = await store.confirm(
            db,
            now=now,
            id=reservation_id,
            owner=owner,
            trusted=trusted,
            event_id=event.id,
            lane=event.lane,
            topic=event.topic,
            kind=event.kind,
            request_id=event.request_id,
            traceparent=event.traceparent,
        )
    except SerializationFailureError:
        return None
    if not rows:
        return None
    first = rows[0]
    settled = Reservation(
        id=reservation_id,
        owner=first.owner,
        request_key=first.request_key,
        status=ReservationStatus.CONFIRMED,
        expires_at=first.expires_at,
        created_at=first.created_at,
        updated_at=now,
    )
    return settled, [
        ReservationLine(reservation_id, row.product_id, row.quantity, row.unit_price, row.currency)
        for row in rows
    ]


def _event(reservation_id: UUID, kind: str) -> Unpublished:
    """What surrounds the payload, which the statement makes of what it has written."""
    return unpublished(topic=RESERVATIONS, key=str(reservation_id), kind=kind, payload=None)
