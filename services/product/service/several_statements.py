"""Steps of reservations on MySQL: each step is several statements in a transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import asdict, replace

from lib.db import Executor
from lib.events import outbox
from services.product.model.reservations import Caller, Line, Reserved, shortages
from services.product.service import ledger
from services.product.service.events import reservation_event
from services.product.store import products, reservations
from services.product.store.postgres.models import (
    Reservation,
    ReservationLine,
    ReservationStatus,
    StockMovementReason,
)
from services.product.store.postgres.reservations import AddLinesParams


async def reserve(
    tx: Executor, new: Reservation, lines: Sequence[Line]
) -> Sequence[ReservationLine]:
    """See `single_statement.reserve`."""
    quantities = {line.product_id: line.quantity for line in lines}
    ids = list(quantities)
    # Who comes too late waits for no lock.
    if any(shortages(lines, await products(tx).find_products(ids=ids))):
        return ()
    locked = await products(tx).lock_products(ids=ids)
    if any(shortages(lines, locked)):
        return ()
    await reservations(tx).add_reservation(
        id=new.id,
        owner=new.owner,
        request_key=new.request_key,
        expires_at=new.expires_at,
        now=new.created_at,
    )
    taken = [
        ReservationLine(new.id, product.id, quantities[product.id], product.price, product.currency)
        for product in locked
    ]
    await reservations(tx).add_lines([AddLinesParams(**asdict(line)) for line in taken])
    moved = await ledger.move(
        tx,
        locked,
        [-line.quantity for line in taken],
        StockMovementReason.RESERVED,
        reservation_id=new.id,
        actor=new.owner,
    )
    await outbox.write(tx, reservation_event("reservation.made", new, taken, moved))
    return taken


async def confirm(
    tx: Executor, ids: Sequence[UUID], caller: Caller, *, now: datetime
) -> list[Reserved]:
    """See `single_statement.confirm`."""
    pending = [
        found
        for found in await _locked(tx, ids, caller)
        if found.status is ReservationStatus.PENDING and found.expires_at > now
    ]
    if not pending:
        return []
    lines = defaultdict[UUID, list[ReservationLine]](list)
    ours = [found.id for found in pending]
    for line in await reservations(tx).list_lines(reservation_ids=ours):
        lines[line.reservation_id].append(line)
    events = (reservation_event("reservation.confirmed", one, lines[one.id]) for one in pending)
    await outbox.write(tx, *events)
    status = ReservationStatus.CONFIRMED
    await reservations(tx).settle_reservations(ids=ours, status=status, now=now)
    return [_settled(found, lines[found.id], status, now) for found in pending]


async def give_back(
    tx: Executor,
    reservation_id: UUID,
    status: ReservationStatus,
    caller: Caller,
    *,
    now: datetime,
) -> list[Reserved]:
    """See `single_statement.give_back`."""
    found = next(iter(await _locked(tx, [reservation_id], caller)), None)
    if found is None or (reason := _reason(found.status, status)) is None:
        return []
    lines = await reservations(tx).list_lines(reservation_ids=[found.id])
    locked = await products(tx).lock_products(ids=[line.product_id for line in lines])
    moved = await ledger.move(
        tx,
        locked,
        [line.quantity for line in lines],
        reason,
        reservation_id=found.id,
        actor=caller.subject,
    )
    event = reservation_event(f"reservation.{status.value}", found, lines, moved)
    await outbox.write(tx, event)
    await reservations(tx).settle_reservations(ids=[found.id], status=status, now=now)
    return [_settled(found, lines, status, now)]


async def _locked(tx: Executor, ids: Sequence[UUID], caller: Caller) -> list[Reservation]:
    found = await reservations(tx).lock_reservations(ids=ids)
    return [one for one in found if caller.trusted or caller.subject == one.owner]


def _settled(
    found: Reservation,
    lines: Sequence[ReservationLine],
    status: ReservationStatus,
    now: datetime,
) -> Reserved:
    return Reserved(replace(found, status=status, updated_at=now), lines)


def _reason(before: ReservationStatus, after: ReservationStatus) -> StockMovementReason | None:
    """Return the reason for putting products back into stock, or None if none are put back."""
    expired = after is ReservationStatus.EXPIRED
    if before is ReservationStatus.PENDING:
        return StockMovementReason.EXPIRED if expired else StockMovementReason.RELEASED
    if before is ReservationStatus.CONFIRMED and not expired:
        return StockMovementReason.RETURNED
    return None
