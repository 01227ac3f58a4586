"""Reservations: reserve many products at once, then confirm, release or expire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import asdict, replace

from lib.clock import Clock, utc_now
from lib.db import Database, Executor
from lib.db.engine import Engine, engine_of
from lib.db.errors import UniqueViolationError
from lib.db.retry import in_transaction
from lib.errors import AppError, Code, FieldError, not_found
from lib.ids import new_id
from services.product.model.reservations import NewReservation, Reserved, Wanted
from services.product.service import ledger, single_statement
from services.product.service.events import reservation_event
from services.product.service.steps import Step, status_after
from services.product.store import products, reservations
from services.product.store.postgres.models import (
    Product,
    ProductStatus,
    Reservation,
    ReservationLine,
    ReservationStatus,
    StockMovementReason,
)

_SYSTEM: Final = "system"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller. A `trusted` caller may see and settle any reservation."""

    subject: str
    trusted: bool


async def reserve(
    db: Database, wanted: NewReservation, *, owner: str, key: str, clock: Clock = utc_now
) -> Reserved:
    """Reserve every line or none. A repeated `key` returns the same reservation.

    Raises:
        AppError: VALIDATION_ERROR for a product named twice; CONFLICT with the lines at fault where
            there is not enough; IDEMPOTENCY_KEY_REUSED where the key came with other lines.
    """
    quantities = wanted.wanted()
    new = _new(wanted, owner, key, clock)
    try:
        if lines := await single_statement.reserve(db, new, quantities):
            return Reserved(new, lines)
        return await _one_by_one(db, new, quantities)
    except UniqueViolationError:
        # The same request was here before, or is here at the same time and was faster.
        if earlier := await _earlier(db, owner, key, quantities):
            return earlier
        raise


async def _one_by_one(
    db: Database, new: Reservation, quantities: Mapping[UUID, Wanted]
) -> Reserved:
    """Reserve the lines one by one, or report the lines that are out of stock."""
    try:
        # Who comes too late is told so without waiting for a lock.
        _refuse_shortage(quantities, await products(db).find_products(ids=list(quantities)))
    except AppError:
        # Unless it is this same request, sent before, that has just taken the last ones.
        if earlier := await _earlier(db, new.owner, new.request_key, quantities):
            return earlier
        raise

    async def work(tx: Executor) -> Reserved:
        await reservations(tx).add_reservation(
            id=new.id,
            owner=new.owner,
            request_key=new.request_key,
            expires_at=new.expires_at,
            now=new.created_at,
        )
        return await _take(tx, new, quantities)

    return await in_transaction(db, work, isolation="read_committed")


def _new(wanted: NewReservation, owner: str, key: str, clock: Clock) -> Reservation:
    now = clock()
    return Reservation(
        id=new_id(),
        owner=owner,
        request_key=key,
        status=ReservationStatus.PENDING,
        expires_at=now + timedelta(seconds=wanted.ttl_seconds),
        created_at=now,
        updated_at=now,
    )


async def get(db: Executor, reservation_id: UUID, caller: Caller) -> Reserved:
    """Return a reservation or raise NOT_FOUND."""
    found = _visible(await reservations(db).get_reservation(id=reservation_id), caller)
    return Reserved(found, await reservations(db).list_lines(reservation_ids=[found.id]))


async def settle(
    db: Database, reservation_id: UUID, step: Step, caller: Caller, *, clock: Clock = utc_now
) -> Reserved:
    """Confirm or release a reservation. A repeated step has no effect.

    What is released after it was confirmed returns to the stock too.

    Raises:
        AppError: NOT_FOUND; CONFLICT where it has expired or was released before.
    """
    at_once = single_statement.confirm if step is Step.CONFIRM else single_statement.release
    done = await at_once(
        db, reservation_id, owner=caller.subject, trusted=caller.trusted, now=clock()
    )
    if done is not None:
        return Reserved(*done)

    async def work(tx: Executor) -> Reserved:
        found = _visible(await reservations(tx).lock_reservation(id=reservation_id), caller)
        after = status_after(step, _status_now(found, step, clock))
        if after is None:
            raise AppError(Code.CONFLICT, "the reservation has expired or was released")
        lines = await reservations(tx).list_lines(reservation_ids=[found.id])
        if after is not found.status:
            found = await _settle(tx, found, lines, after, caller.subject, now=clock())
        return Reserved(found, lines)

    return await in_transaction(db, work, isolation="read_committed")


async def expire(db: Database, *, batch_size: int = 50, clock: Clock = utc_now) -> int:
    """Release some expired reservations. Return how many.

    Any number of processes may do so at once: each takes what no other has in hand.
    """

    async def work(tx: Executor) -> int:
        late = await reservations(tx).claim_expired(now=clock(), batch_size=batch_size)
        if late:
            ids = [found.id for found in late]
            lines = await reservations(tx).list_lines(reservation_ids=ids)
            if engine_of(tx) is Engine.POSTGRES:
                await _give_back_at_once(tx, late, lines, now=clock())
            else:
                await _give_back(
                    tx,
                    late,
                    lines,
                    ReservationStatus.EXPIRED,
                    StockMovementReason.EXPIRED,
                    _SYSTEM,
                    now=clock(),
                )
        return len(late)

    return await in_transaction(db, work, isolation="read_committed")


async def _give_back_at_once(
    tx: Executor, late: Sequence[Reservation], lines: Sequence[ReservationLine], *, now: datetime
) -> None:
    """Return the stock of expired reservations that `tx` has locked, in one statement each."""
    # All products first, in one order: what one statement after the other locks may deadlock.
    await products(tx).lock_products(ids=list({line.product_id for line in lines}))
    own = Counter(line.reservation_id for line in lines)
    for reservation in late:
        await single_statement.give_back(
            tx,
            reservation.id,
            ReservationStatus.EXPIRED,
            movement_ids=[new_id() for _ in range(own[reservation.id])],
            actor=_SYSTEM,
            now=now,
        )


async def _earlier(
    db: Executor, owner: str, key: str, quantities: Mapping[UUID, Wanted]
) -> Reserved | None:
    found = await reservations(db).find_reservation(owner=owner, request_key=key)
    if found is None:
        return None
    lines = await reservations(db).list_lines(reservation_ids=[found.id])
    if {x.product_id: x.quantity for x in lines} != {p: w.quantity for p, w in quantities.items()}:
        raise AppError(
            Code.IDEMPOTENCY_KEY_REUSED, "this Idempotency-Key was used for another reservation"
        )
    return Reserved(found, lines, replayed=True)


async def _take(
    tx: Executor, reservation: Reservation, quantities: Mapping[UUID, Wanted]
) -> Reserved:
    # A line refers to a product, which locks it a little: only after it is locked for good.
    locked = await products(tx).lock_products(ids=list(quantities))
    _refuse_shortage(quantities, locked)
    lines = [
        ReservationLine(
            reservation.id, found.id, quantities[found.id].quantity, found.price, found.currency
        )
        for found in locked
    ]
    moved = []
    for product, line in zip(locked, lines, strict=True):
        moved.append(
            await ledger.move(
                tx,
                product,
                -line.quantity,
                StockMovementReason.RESERVED,
                reservation_id=reservation.id,
                actor=reservation.owner,
            )
        )
        await reservations(tx).add_line(**asdict(line))
    await reservation_event(tx, "reservation.made", reservation, lines, moved)
    return Reserved(reservation, lines)


def _refuse_shortage(quantities: Mapping[UUID, Wanted], found: Sequence[Product]) -> None:
    """Raise CONFLICT with every line that is out of stock, if any."""
    for_sale = {p.id: p.stock for p in found if p.status is ProductStatus.ACTIVE}
    problems = []
    for index, (product_id, wanted) in enumerate(quantities.items()):
        left = for_sale.get(product_id)
        if left is None:
            problems.append(FieldError(f"lines[{index}].product_id", "is not for sale"))
        elif left < wanted.quantity:
            problems.append(FieldError(f"lines[{index}].quantity", f"only {left} left"))
        elif left < wanted.min_stock:
            why = f"is more than one customer may hold of the remaining {left}"
            problems.append(FieldError(f"lines[{index}].quantity", why))
    if problems:
        raise AppError(Code.CONFLICT, "some products cannot be reserved", details=problems)


def _visible(reservation: Reservation | None, caller: Caller) -> Reservation:
    if reservation is None or not (caller.trusted or caller.subject == reservation.owner):
        raise not_found("reservation")
    return reservation


def _status_now(reservation: Reservation, step: Step, clock: Clock) -> ReservationStatus:
    """Return the status. An expired reservation cannot be confirmed, even before the sweep."""
    late = reservation.status is ReservationStatus.PENDING and reservation.expires_at <= clock()
    return ReservationStatus.EXPIRED if late and step is Step.CONFIRM else reservation.status


async def _settle(
    tx: Executor,
    found: Reservation,
    lines: Sequence[ReservationLine],
    after: ReservationStatus,
    actor: str,
    *,
    now: datetime,
) -> Reservation:
    settled = replace(found, status=after, updated_at=now)
    if after is ReservationStatus.CONFIRMED:
        await reservations(tx).settle_reservation(id=found.id, status=after, now=now)
        await reservation_event(tx, "reservation.confirmed", found, lines)
        return settled
    confirmed = found.status is ReservationStatus.CONFIRMED
    reason = StockMovementReason.RETURNED if confirmed else StockMovementReason.RELEASED
    await _give_back(tx, [found], lines, after, reason, actor, now=now)
    return settled


async def _give_back(
    tx: Executor,
    settled: Sequence[Reservation],
    lines: Sequence[ReservationLine],
    status: ReservationStatus,
    reason: StockMovementReason,
    actor: str,
    *,
    now: datetime,
) -> None:
    """Return the stock of reservations that `tx` has locked, with products in a fixed order."""
    locked = await products(tx).lock_products(ids=list({line.product_id for line in lines}))
    by_id = {product.id: product for product in locked}
    for reservation in settled:
        own = [line for line in lines if line.reservation_id == reservation.id]
        for line in own:
            by_id[line.product_id] = await ledger.move(
                tx,
                by_id[line.product_id],
                line.quantity,
                reason,
                reservation_id=reservation.id,
                actor=actor,
            )
        await reservations(tx).settle_reservation(id=reservation.id, status=status, now=now)
        moved = [by_id[line.product_id] for line in own]
        await reservation_event(tx, f"reservation.{status.value}", reservation, own, moved)
