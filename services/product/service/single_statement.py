"""Steps of reservations on PostgreSQL: each step is one statement, and one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lib.db import Executor
from lib.events import Unpublished, unpublished
from lib.ids import new_id
from services.product.model.reservations import MAX_LINES, Caller, Line, Reserved
from services.product.service.events import RESERVATIONS
from services.product.store.at_once import models
from services.product.store.at_once import reservations as store
from services.product.store.at_once.models import LineView, SettledRow
from services.product.store.postgres.models import Reservation, ReservationStatus


async def reserve(tx: Executor, new: Reservation, lines: Sequence[Line]) -> Sequence[LineView]:
    """Reserve and return all lines, or none of the lines if the stock of a product is too small.

    Raises:
        AppError: UniqueViolationError if the same request was executed before;
            SerializationFailureError.
    """
    event = _event(new.id, "reservation.made")
    return await store.reserve(
        tx,
        product_ids=[line.product_id for line in lines],
        quantities=[line.quantity for line in lines],
        needed=[line.min_stock for line in lines],
        movement_ids=[new_id() for _ in lines],
        id=new.id,
        owner=new.owner,
        request_key=new.request_key,
        expires_at=new.expires_at,
        now=new.created_at,
        event_id=event.id,
        lane=event.lane,
        topic=event.topic,
        kind=event.kind,
        request_id=event.request_id,
        traceparent=event.traceparent,
    )


async def confirm(
    tx: Executor, ids: Sequence[UUID], caller: Caller, *, now: datetime
) -> Sequence[Reserved]:
    """Confirm pending reservations of the caller. Return the confirmed reservations."""
    events = [_event(reservation_id, "reservation.confirmed") for reservation_id in ids]
    rows = await store.confirm(
        tx,
        now=now,
        ids=ids,
        owner=caller.subject,
        trusted=caller.trusted,
        event_ids=[event.id for event in events],
        lanes=[event.lane for event in events],
        topic=events[0].topic,
        kind=events[0].kind,
        request_id=events[0].request_id,
        traceparent=events[0].traceparent,
    )
    return _reserved(rows, ReservationStatus.CONFIRMED, now)


async def give_back(
    tx: Executor,
    reservation_id: UUID,
    status: ReservationStatus,
    caller: Caller,
    *,
    now: datetime,
) -> Sequence[Reserved]:
    """Release or expire a reservation of the caller, and put its products back into stock."""
    event = _event(reservation_id, f"reservation.{status.value}")
    rows = await store.give_back(
        tx,
        id=reservation_id,
        status=models.ReservationStatus(status.value),
        movement_ids=[new_id() for _ in range(MAX_LINES)],
        owner=caller.subject,
        trusted=caller.trusted,
        actor=caller.subject,
        now=now,
        event_id=event.id,
        lane=event.lane,
        topic=event.topic,
        kind=event.kind,
        request_id=event.request_id,
        traceparent=event.traceparent,
    )
    return _reserved(rows, status, now)


def _reserved(
    rows: Sequence[SettledRow], status: ReservationStatus, now: datetime
) -> list[Reserved]:
    return [
        Reserved(
            Reservation(
                id=row.id,
                owner=row.owner,
                request_key=row.request_key,
                status=status,
                expires_at=row.expires_at,
                created_at=row.created_at,
                updated_at=now,
            ),
            list(map(LineView, row.product_ids, row.quantities, row.unit_prices, row.currencies)),
        )
        for row in rows
    ]


def _event(reservation_id: UUID, kind: str) -> Unpublished:
    """Return an event without payload. The SQL statement makes the payload from the written row."""
    return unpublished(topic=RESERVATIONS, key=str(reservation_id), kind=kind, payload=None)
