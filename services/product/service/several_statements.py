"""Steps of reservations on MySQL: each step is several statements in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import asdict, replace

from lib.db import Executor
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
    taken, moved = [], []
    for product in locked:
        quantity = quantities[product.id]
        line = ReservationLine(new.id, product.id, quantity, product.price, product.currency)
        reason = StockMovementReason.RESERVED
        after = await ledger.move(
            tx, product, -quantity, reason, reservation_id=new.id, actor=new.owner
        )
        await reservations(tx).add_line(**asdict(line))
        taken.append(line)
        moved.append(after)
    await reservation_event(tx, "reservation.made", new, taken, moved)
    return taken


async def confirm(
    tx: Executor, ids: Sequence[UUID], caller: Caller, *, now: datetime
) -> list[Reserved]:
    """See `single_statement.confirm`."""
    confirmed = []
    for reservation_id in ids:
        found = await _locked(tx, reservation_id, caller)
        if (
            found is not None
            and found.status is ReservationStatus.PENDING
            and found.expires_at > now
        ):
            lines = await reservations(tx).list_lines(reservation_ids=[found.id])
            await reservation_event(tx, "reservation.confirmed", found, lines)
            confirmed.append(await _settled(tx, found, lines, ReservationStatus.CONFIRMED, now))
    return confirmed


async def give_back(
    tx: Executor,
    reservation_id: UUID,
    status: ReservationStatus,
    caller: Caller,
    *,
    now: datetime,
) -> list[Reserved]:
    """See `single_statement.give_back`."""
    found = await _locked(tx, reservation_id, caller)
    if found is None or (reason := _reason(found.status, status)) is None:
        return []
    lines = await reservations(tx).list_lines(reservation_ids=[found.id])
    locked = await products(tx).lock_products(ids=[line.product_id for line in lines])
    moved = [
        await ledger.move(
            tx, product, line.quantity, reason, reservation_id=found.id, actor=caller.subject
        )
        for product, line in zip(locked, lines, strict=True)
    ]
    await reservation_event(tx, f"reservation.{status.value}", found, lines, moved)
    return [await _settled(tx, found, lines, status, now)]


async def _locked(tx: Executor, reservation_id: UUID, caller: Caller) -> Reservation | None:
    found = await reservations(tx).lock_reservation(id=reservation_id)
    if found is None or not (caller.trusted or caller.subject == found.owner):
        return None
    return found


async def _settled(
    tx: Executor,
    found: Reservation,
    lines: Sequence[ReservationLine],
    status: ReservationStatus,
    now: datetime,
) -> Reserved:
    await reservations(tx).settle_reservation(id=found.id, status=status, now=now)
    return Reserved(replace(found, status=status, updated_at=now), lines)


def _reason(before: ReservationStatus, after: ReservationStatus) -> StockMovementReason | None:
    """Return the reason of a ledger entry that returns stock, or None if no stock is returned."""
    expired = after is ReservationStatus.EXPIRED
    if before is ReservationStatus.PENDING:
        return StockMovementReason.EXPIRED if expired else StockMovementReason.RELEASED
    if before is ReservationStatus.CONFIRMED and not expired:
        return StockMovementReason.RETURNED
    return None
