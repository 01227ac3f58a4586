"""Reservations: reserve many products at once, then confirm, release or expire.

If a step is allowed, it is executed by `single_statement` on PostgreSQL, or by `several_statements`
on MySQL. If a step is not allowed, it has changed nothing, and this module finds the reason for the
error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeVar
from uuid import UUID

from lib.clock import Clock, utc_now
from lib.db import Database, Executor
from lib.db.engine import Engine, engine_of
from lib.db.errors import SerializationFailureError, UniqueViolationError
from lib.db.retry import in_transaction
from lib.errors import AppError, Code, not_found
from lib.ids import new_id
from lib.resource.rules import check_distinct, conflict
from services.product.model.reservations import (
    Caller,
    Line,
    NewReservation,
    Reserved,
    ReservedLines,
    shortages,
)
from services.product.service import several_statements, single_statement
from services.product.service.steps import Step, status_after
from services.product.store import products, reservations
from services.product.store.postgres.models import Reservation, ReservationStatus

_SYSTEM: Final = Caller("system", trusted=True)
# Each fails only if another caller changes the same rows between the step and the look at them.
_ATTEMPTS: Final = 10
T = TypeVar("T")


class _Way(Protocol):
    """The statements for reservations on one database engine.

    A step that is not allowed returns no rows and changes nothing.
    """

    async def reserve(
        self, tx: Executor, new: Reservation, lines: Sequence[Line], /
    ) -> ReservedLines: ...

    async def confirm(
        self, tx: Executor, ids: Sequence[UUID], caller: Caller, /, *, now: datetime
    ) -> Sequence[Reserved]: ...

    async def give_back(
        self,
        tx: Executor,
        reservation_id: UUID,
        status: ReservationStatus,
        caller: Caller,
        /,
        *,
        now: datetime,
    ) -> Sequence[Reserved]: ...


async def reserve(
    db: Database, wanted: NewReservation, *, owner: str, key: str, clock: Clock = utc_now
) -> Reserved:
    """Reserve every line or none. A repeated `key` returns the same reservation.

    Raises:
        AppError: VALIDATION_ERROR for a repeated product; CONFLICT with the lines whose stock is
            insufficient; IDEMPOTENCY_KEY_REUSED if the key belongs to a request with other lines.
    """
    ids = [line.product_id for line in wanted.lines]
    check_distinct(ids, "lines[{}].product_id", "is already in another line of the request")
    new = _new(wanted, owner, key, clock)

    async def step(way: _Way, tx: Executor) -> ReservedLines:
        return await way.reserve(tx, new, wanted.lines)

    for _ in range(_ATTEMPTS):
        with suppress(UniqueViolationError, SerializationFailureError):
            if lines := await _take(db, step):
                return Reserved(new, lines)
        problems = list(shortages(wanted.lines, await products(db).find_products(ids=ids)))
        # The same request may have been here before, and have taken the last ones.
        if earlier := await _earlier(db, wanted, owner, key):
            return earlier
        if problems:
            raise AppError(Code.CONFLICT, "some products cannot be reserved", details=problems)
    raise SerializationFailureError


async def get(db: Executor, reservation_id: UUID, caller: Caller) -> Reserved:
    """Return a reservation or raise NOT_FOUND."""
    found = await reservations(db).get_reservation(id=reservation_id)
    if found is None or not (caller.trusted or caller.subject == found.owner):
        raise not_found("reservation")
    return Reserved(found, await reservations(db).list_lines(reservation_ids=[found.id]))


async def settle(
    db: Database, reservation_id: UUID, step: Step, caller: Caller, *, clock: Clock = utc_now
) -> Reserved:
    """Confirm or release a reservation. A repeated step has no effect.

    If a confirmed reservation is released, its products return to the stock too.

    Raises:
        AppError: NOT_FOUND; CONFLICT if the reservation has expired or was released before.
    """

    async def work(way: _Way, tx: Executor) -> Sequence[Reserved]:
        if step is Step.CONFIRM:
            return await way.confirm(tx, [reservation_id], caller, now=clock())
        released = ReservationStatus.RELEASED
        return await way.give_back(tx, reservation_id, released, caller, now=clock())

    for _ in range(_ATTEMPTS):
        with suppress(SerializationFailureError):
            if done := await _take(db, work):
                return done[0]
        found = await get(db, reservation_id, caller)
        after = status_after(step, _status_now(found.reservation, step, clock))
        if after is None:
            raise conflict("the reservation has expired or was released")
        if after is found.reservation.status:
            return found
    raise SerializationFailureError


async def confirm_all(
    db: Database, ids: Sequence[UUID], caller: Caller, *, clock: Clock = utc_now
) -> list[UUID]:
    """Confirm pending reservations together. Return the confirmed reservations."""

    async def work(way: _Way, tx: Executor) -> Sequence[Reserved]:
        return await way.confirm(tx, sorted(set(ids)), caller, now=clock())

    try:
        return [done.reservation.id for done in await _take(db, work)]
    except SerializationFailureError:
        return []


async def expire(db: Database, *, batch_size: int = 50, clock: Clock = utc_now) -> int:
    """Release a batch of expired reservations. Return the number of released reservations.

    Several processes can call this function at the same time: each process skips the reservations
    that another one has locked.
    """

    async def work(tx: Executor) -> int:
        late = await reservations(tx).claim_expired(now=clock(), batch_size=batch_size)
        if late:
            lines = await reservations(tx).list_lines(reservation_ids=[found.id for found in late])
            # In one order: what one reservation after the other locks may deadlock.
            await products(tx).lock_products(ids=list({line.product_id for line in lines}))
        for found in late:
            expired = ReservationStatus.EXPIRED
            # aiosqlc_loops: the ledger has an entry per reservation, and each is the next version
            await _way(tx).give_back(tx, found.id, expired, _SYSTEM, now=clock())
        return len(late)

    return await in_transaction(db, work, isolation="read_committed")


def _way(tx: Executor) -> _Way:
    return several_statements if engine_of(tx) is Engine.MYSQL else single_statement


async def _take(db: Database, step: Callable[[_Way, Executor], Awaitable[T]]) -> T:
    """Run a step in a transaction, unless the step is only one statement."""
    way = _way(db)
    if way is single_statement:
        return await step(way, db)
    return await in_transaction(db, partial(step, way), isolation="read_committed")


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


async def _earlier(db: Executor, wanted: NewReservation, owner: str, key: str) -> Reserved | None:
    found = await reservations(db).find_reservation(owner=owner, request_key=key)
    if found is None:
        return None
    lines = await reservations(db).list_lines(reservation_ids=[found.id])
    before = {line.product_id: line.quantity for line in lines}
    if before != {line.product_id: line.quantity for line in wanted.lines}:
        raise AppError(
            Code.IDEMPOTENCY_KEY_REUSED, "this Idempotency-Key was used for another reservation"
        )
    return Reserved(found, lines, replayed=True)


def _status_now(reservation: Reservation, step: Step, clock: Clock) -> ReservationStatus:
    """Return the stored status, or EXPIRED if it is too late to confirm the reservation.

    A background task stores the status EXPIRED later.
    """
    late = reservation.status is ReservationStatus.PENDING and reservation.expires_at <= clock()
    return ReservationStatus.EXPIRED if late and step is Step.CONFIRM else reservation.status
