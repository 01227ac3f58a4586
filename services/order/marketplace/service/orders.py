"""Rules of service orders. Pending offers prevent all changes except changes of the status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from lib.auth.guards import forbidden
from lib.clock import Clock, utc_now
from lib.db import Database, Executor
from lib.errors import AppError, Code, not_found
from lib.ids import new_id
from lib.resource.input import given, is_empty
from lib.resource.rules import change_errors, check_version, conflict, or_not_found
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.orders import (
    MAX_OPEN_ORDERS,
    NewServiceOrder,
    ServiceOrderChange,
    check_window,
)
from services.order.marketplace.service.catalog import check_service
from services.order.marketplace.service.domain_events import DOMAIN_EVENTS, JobMoved, OrdersMoved
from services.order.marketplace.service.steps import (
    OrderStep,
    order_after,
    order_moved,
    order_step_of,
)
from services.order.marketplace.store import offers
from services.order.marketplace.store import service_orders as store
from services.order.marketplace.store.models import ServiceOrder, ServiceOrderStatus
from services.order.ports import Catalog

NOUN = "service order"
_OPEN = (ServiceOrderStatus.PENDING, ServiceOrderStatus.PAUSED)


async def get(db: Executor, order_id: UUID, caller: Caller) -> ServiceOrder:
    """Return an order. Raises NOT_FOUND for an order that the caller may not see.

    The customer and the staff always see an order. Providers see it while it accepts offers, or if
    they have made an offer.
    """
    order = or_not_found(await store.get_service_order(db, id=order_id), NOUN)
    if not await _may_see(db, order, caller):
        raise not_found(NOUN)
    return order


async def may_know_place(db: Executor, order: ServiceOrder, caller: Caller) -> bool:
    """Return whether the caller may see the exact location of the work.

    The customer and the staff may see it, and the verified provider whose offer was accepted.
    """
    if caller.may_see_of(order.customer_id):
        return True
    if caller.id is None or not (caller.is_provider and caller.verified):
        return False
    return await offers.has_accepted_offer(db, order_id=order.id, provider_id=caller.id)


async def lock(tx: Executor, order_id: UUID) -> ServiceOrder:
    """Lock an order and return it. Raises NOT_FOUND.

    All changes of the order's offers and its job take this lock too.
    """
    return or_not_found(await store.lock_service_order(tx, id=order_id), NOUN)


async def add(
    db: Database,
    catalog: Catalog,
    new: NewServiceOrder,
    *,
    customer_id: UUID,
    key: str | None = None,
    clock: Clock = utc_now,
) -> ServiceOrder:
    """Create an order, or return the order that the request with `key` created before.

    Raises:
        AppError: VALIDATION_ERROR for an invalid time window; CONFLICT if the customer has too many
            open orders; NOT_FOUND if the catalog does not have the service; IDEMPOTENCY_KEY_REUSED
            if `key` belongs to another request.
    """
    if (earlier := await _earlier(db, new, customer_id, key)) is not None:
        return earlier
    now = clock()
    check_window(new.time_start, new.time_end, now=now)
    await check_service(catalog, new.service_id)
    async with db.transaction() as tx:
        await store.lock_customer(tx, customer_id=customer_id)
        if (earlier := await _earlier(tx, new, customer_id, key)) is not None:
            return earlier
        waiting = await store.count_open_orders_of(tx, customer_id=customer_id, open_after=now)
        if waiting >= MAX_OPEN_ORDERS:
            raise conflict(f"you can have at most {MAX_OPEN_ORDERS} open service orders")
        return await store.add_service_order(
            tx,
            id=new_id(),
            customer_id=customer_id,
            service_id=new.service_id,
            longitude=new.location.longitude,
            latitude=new.location.latitude,
            time_start=new.time_start,
            time_end=new.time_end,
            description=new.description,
            request_key=key,
        )


async def _earlier(
    db: Executor, new: NewServiceOrder, customer_id: UUID, key: str | None
) -> ServiceOrder | None:
    if key is None:
        return None
    order = await store.find_service_order(db, customer_id=customer_id, request_key=key)
    if order is not None and order.service_id != new.service_id:
        raise AppError(
            Code.IDEMPOTENCY_KEY_REUSED, "this Idempotency-Key was used for another order"
        )
    return order


async def change(
    db: Database,
    catalog: Catalog,
    order_id: UUID,
    changes: ServiceOrderChange,
    caller: Caller,
    *,
    version: int | None,
    clock: Clock = utc_now,
) -> ServiceOrder:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND, also for a new service that does not exist; FORBIDDEN unless the caller
            is the customer or manages jobs; PRECONDITION_FAILED; VALIDATION_ERROR for an invalid
            time window; CONFLICT if the order cannot move to the new status, or if other terms
            change after the first offer.
    """
    if changes.service_id is not UNSET:
        # Before the order is locked: no lock waits for another service.
        before = await get(db, order_id, caller)
        if changes.service_id != before.service_id:
            await check_service(catalog, changes.service_id)
    async with db.transaction() as tx:
        before = await _own(tx, order_id, caller, version)
        if is_empty(changes):
            return before
        if changes.changes_terms:
            await _check_terms(tx, before, changes, now=clock())
        status = _status_after(before, changes)
        place = changes.location
        await store.change_service_order(
            tx,
            id=order_id,
            service_id=given(changes.service_id, before.service_id),
            longitude=before.longitude if place is UNSET else place.longitude,
            latitude=before.latitude if place is UNSET else place.latitude,
            time_start=given(changes.time_start, before.time_start),
            time_end=given(changes.time_end, before.time_end),
            description=given(changes.description, before.description),
            status=status,
        )
        changed = or_not_found(await store.get_service_order(tx, id=order_id), NOUN)
        if changed.status is not before.status:
            await DOMAIN_EVENTS.publish(tx, OrdersMoved([changed]))
        return changed


async def remove(db: Database, order_id: UUID, caller: Caller, *, version: int | None) -> None:
    """Delete an order if `version` is current. Raises CONFLICT for an order with offers."""
    with change_errors(in_use="the service order has offers: cancel it instead"):
        async with db.transaction() as tx:
            await _own(tx, order_id, caller, version)
            await store.remove_service_order(tx, id=order_id)


async def take(tx: Executor, locked: Sequence[ServiceOrder], step: OrderStep) -> None:
    """Apply a transition to orders that `tx` has locked. Each order's status must allow it."""
    if not locked:
        return
    status, *others = {order_after(order.status, step) for order in locked}
    if status is None or others:
        # Without the rows themselves: they contain places and what people wrote.
        stood = ", ".join(f"{order.id} {order.status}" for order in locked)
        raise AssertionError(f"not every order can {step}: {stood}")
    await store.set_service_order_status(tx, ids=[order.id for order in locked], status=status)
    moved = [replace(order, status=status, version=order.version + 1) for order in locked]
    await DOMAIN_EVENTS.publish(tx, OrdersMoved(moved))


async def follow_job(tx: Executor, fact: JobMoved) -> None:
    """Update the order of a job: complete, reopen or cancel it, after the job's own change."""
    step = order_step_of(fact.job.status, fact.by)
    if step is not None:
        await take(tx, [fact.order], step)


async def _may_see(db: Executor, order: ServiceOrder, caller: Caller) -> bool:
    if caller.may_see_of(order.customer_id):
        return True
    if not caller.is_provider or caller.id is None:
        return False
    if order.status is ServiceOrderStatus.PENDING:
        return True
    return await offers.has_offer(db, order_id=order.id, provider_id=caller.id)


async def _own(tx: Executor, order_id: UUID, caller: Caller, version: int | None) -> ServiceOrder:
    order = await lock(tx, order_id)
    if not (caller.manages or caller.is_one_of(order.customer_id)):
        raise forbidden() if await _may_see(tx, order, caller) else not_found(NOUN)
    check_version(version, order.version)
    return order


async def _check_terms(
    tx: Executor, before: ServiceOrder, changes: ServiceOrderChange, *, now: datetime
) -> None:
    if before.status not in _OPEN:
        raise conflict(f"the service order is {before.status.lower()}")
    if changes.time_start is not UNSET or changes.time_end is not UNSET:
        start = given(changes.time_start, before.time_start)
        check_window(start, given(changes.time_end, before.time_end), now=now)
    if await offers.has_pending_offer(tx, order_id=before.id):
        raise conflict("the order has offers, so its terms are fixed: cancel it and create another")


def _status_after(before: ServiceOrder, changes: ServiceOrderChange) -> ServiceOrderStatus:
    if changes.status is UNSET:
        return before.status
    wanted = ServiceOrderStatus(changes.status)
    if order_moved(before.status, wanted) is None:
        raise conflict(f"the service order is {before.status.lower()}")
    return wanted
