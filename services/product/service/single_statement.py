"""Reservation steps as single statements, on engines that support them.

Most of what an order costs here is round trips. What cannot be done so is left as it is, for the
steps one by one to say why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from lib.db import Executor
from lib.db.engine import Engine, engine_of
from lib.db.errors import SerializationFailureError
from lib.events import Unpublished, unpublished
from lib.ids import new_id
from services.product.model.reservations import MAX_LINES, Wanted
from services.product.service.events import RESERVATIONS
from services.product.store.at_once import models
from services.product.store.at_once import reservations as store
from services.product.store.postgres.models import (
    Reservation,
    ReservationLine,
    ReservationStatus,
)

Settled: TypeAlias = tuple[Reservation, Sequence[ReservationLine]]

_MADE: Final = "reservation.made"
_CONFIRMED: Final = "reservation.confirmed"


async def reserve(
    db: Executor, wanted: Reservation, quantities: Mapping[UUID, Wanted]
) -> Sequence[ReservationLine]:
    """Reserve every line and return them, or nothing if this fast path does not apply.

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
            quantities=[line.quantity for line in quantities.values()],
            needed=[line.min_stock for line in quantities.values()],
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
) -> Settled | None:
    """Confirm a reservation of `owner`, or any if `trusted`. None if this path does not apply."""
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
    return _settled(rows, reservation_id, ReservationStatus.CONFIRMED, now)


async def release(
    db: Executor, reservation_id: UUID, *, owner: str, trusted: bool, now: datetime
) -> Settled | None:
    """Release a reservation of `owner`, or any if `trusted`.

    None where it is not so, or was given back before.
    """
    if engine_of(db) is not Engine.POSTGRES:
        return None
    try:
        return await give_back(
            db,
            reservation_id,
            ReservationStatus.RELEASED,
            movement_ids=[new_id() for _ in range(MAX_LINES)],
            actor=owner,
            trusted=trusted,
            now=now,
        )
    except SerializationFailureError:
        return None


async def give_back(
    db: Executor,
    reservation_id: UUID,
    status: ReservationStatus,
    *,
    movement_ids: Sequence[UUID],
    actor: str,
    trusted: bool = True,
    now: datetime,
) -> Settled | None:
    """Return a reservation's stock on PostgreSQL. None if there is nothing to return.

    `movement_ids` are for the lines of the ledger: as many as the reservation has, or more.
    """
    event = _event(reservation_id, f"reservation.{status.value}")
    rows = await store.give_back(
        db,
        id=reservation_id,
        status=models.ReservationStatus(status.value),
        movement_ids=movement_ids,
        owner=actor,
        trusted=trusted,
        actor=actor,
        now=now,
        event_id=event.id,
        lane=event.lane,
        topic=event.topic,
        kind=event.kind,
        request_id=event.request_id,
        traceparent=event.traceparent,
    )
    return _settled(rows, reservation_id, status, now)


def _settled(
    rows: Sequence[store.ConfirmRow],
    reservation_id: UUID,
    status: ReservationStatus,
    now: datetime,
) -> Settled | None:
    if not rows:
        return None
    first = rows[0]
    settled = Reservation(
        id=reservation_id,
        owner=first.owner,
        request_key=first.request_key,
        status=status,
        expires_at=first.expires_at,
        created_at=first.created_at,
        updated_at=now,
    )
    return settled, [
        ReservationLine(reservation_id, row.product_id, row.quantity, row.unit_price, row.currency)
        for row in rows
    ]


def _event(reservation_id: UUID, kind: str) -> Unpublished:
    """Return the event envelope. The statement builds the payload from the written row."""
    return unpublished(topic=RESERVATIONS, key=str(reservation_id), kind=kind, payload=None)
