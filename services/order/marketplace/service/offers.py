"""Rules of offers: one active offer per provider and order. Only pending offers can change."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from lib.auth.guards import forbidden
from lib.clock import Clock, utc_now
from lib.db import Database, Executor
from lib.errors import not_found
from lib.ids import new_id
from lib.resource.input import given, is_empty
from lib.resource.rules import change_errors, check_version, conflict, or_not_found
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.offers import (
    MAX_OPEN_OFFERS,
    NewOffer,
    OfferChange,
    amount,
    check_book_time,
)
from services.order.marketplace.service import currencies, orders
from services.order.marketplace.service.domain_events import (
    DOMAIN_EVENTS,
    JobMoved,
    OfferMade,
    OrdersMoved,
)
from services.order.marketplace.service.steps import OfferStep, offer_after
from services.order.marketplace.store import offers as store
from services.order.marketplace.store import service_orders
from services.order.marketplace.store.models import (
    JobStatus,
    Offer,
    OfferStatus,
    ServiceOrder,
    ServiceOrderStatus,
)

NOUN = "offer"
# Paused ones do again, once they are resumed.
_TAKE_OFFERS = (ServiceOrderStatus.PENDING, ServiceOrderStatus.PAUSED)


async def get(db: Executor, offer_id: UUID, caller: Caller) -> Offer:
    """Return an offer to the provider, the customer and the staff, else raise NOT_FOUND."""
    offer = or_not_found(await store.get_offer(db, id=offer_id), NOUN)
    if caller.may_see_of(offer.provider_id):
        return offer
    order = await service_orders.get_service_order(db, id=offer.order_id)
    if order is None or not caller.is_one_of(order.customer_id):
        raise not_found(NOUN)
    return offer


async def make(db: Database, new: NewOffer, *, provider_id: UUID, clock: Clock = utc_now) -> Offer:
    """Create an offer on an open order and publish it.

    Raises:
        AppError: VALIDATION_ERROR for a price of zero or a time outside the window; NOT_FOUND for
            the order or the currency; FORBIDDEN for the caller's own order; CONFLICT if the order
            accepts no offers, the provider has a pending offer on it, or has too many pending
            offers elsewhere.
    """
    price = amount(new.price)
    with change_errors(taken="you already have an active offer on this order"):
        async with db.transaction() as tx:
            await _check_room(tx, provider_id, clock)
            order = await orders.lock(tx, new.order_id)
            if order.customer_id == provider_id:
                raise forbidden("you cannot make an offer on your own order")
            check_takes_offers(order, clock)
            check_book_time(new.book_time, start=order.time_start, end=order.time_end, now=clock())
            currency = await currencies.get(tx, new.currency_id)
            made = await store.add_offer(
                tx,
                id=new_id(),
                order_id=order.id,
                provider_id=provider_id,
                price=price,
                currency_id=currency.id,
                currency=currency.code,
                book_time=new.book_time,
            )
            await DOMAIN_EVENTS.publish(tx, OfferMade(made, order.customer_id))
    return made


async def _check_room(tx: Executor, provider_id: UUID, clock: Clock) -> None:
    """Raise an error if a provider has too many open offers.

    A lock serializes concurrent offers of the provider.
    """
    await store.lock_provider(tx, provider_id=provider_id)
    waiting = await store.count_waiting_offers_of(tx, provider_id=provider_id, open_after=clock())
    if waiting >= MAX_OPEN_OFFERS:
        raise conflict(f"you can have at most {MAX_OPEN_OFFERS} pending offers")


async def change(
    db: Database,
    offer_id: UUID,
    changes: OfferChange,
    caller: Caller,
    *,
    version: int | None,
    clock: Clock = utc_now,
) -> Offer:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND, also for the currency; FORBIDDEN unless the caller is the offer's
            provider; PRECONDITION_FAILED; VALIDATION_ERROR as for a new offer; CONFLICT if the
            offer is settled.
    """
    async with db.transaction() as tx:
        order, before = await locked(tx, offer_id, caller)
        if not caller.is_one_of(before.provider_id):
            raise forbidden()
        check_version(version, before.version)
        if is_empty(changes):
            return before
        if offer_after(before.status, OfferStep.CHANGE) is None:
            raise settled(before)
        book_time = given(changes.book_time, before.book_time)
        check_book_time(book_time, start=order.time_start, end=order.time_end, now=clock())
        currency_id = given(changes.currency_id, before.currency_id)
        currency = await currencies.get(tx, currency_id)
        await store.change_offer(
            tx,
            id=offer_id,
            price=_price_after(before, changes),
            currency_id=currency.id,
            currency=currency.code,
            book_time=book_time,
        )
        return or_not_found(await store.get_offer(tx, id=offer_id), NOUN)


async def remove(db: Database, offer_id: UUID, caller: Caller, *, version: int | None) -> None:
    """Withdraw an offer if `version` is current. Raises CONFLICT unless the offer is pending.

    A caller who manages jobs may withdraw any offer.
    """
    async with db.transaction() as tx:
        _, before = await locked(tx, offer_id, caller)
        if not (caller.manages or caller.is_one_of(before.provider_id)):
            raise forbidden()
        check_version(version, before.version)
        if before.status is not OfferStatus.PENDING:
            raise settled(before)
        await store.remove_offer(tx, id=offer_id)


async def locked(tx: Executor, offer_id: UUID, caller: Caller) -> tuple[ServiceOrder, Offer]:
    """Lock the order of an offer that the caller may see. Return the order and the offer."""
    seen = await get(tx, offer_id, caller)
    order = await orders.lock(tx, seen.order_id)
    # Read again: what was written while we waited for the lock counts.
    return order, or_not_found(await store.get_offer(tx, id=offer_id), NOUN)


async def move(tx: Executor, offer: Offer, status: OfferStatus) -> Offer:
    """Set the status of an offer. The offer's order must be locked in `tx`."""
    await store.set_offer_status(tx, id=offer.id, status=status)
    return replace(offer, status=status, version=offer.version + 1)


async def reject_waiting(tx: Executor, fact: OrdersMoved) -> None:
    """Reject the pending offers of orders that no longer accept offers."""
    closed = [order.id for order in fact.orders if order.status not in _TAKE_OFFERS]
    if closed:
        await store.reject_offers(tx, order_ids=closed)


async def follow_job(tx: Executor, fact: JobMoved) -> None:
    """Cancel the accepted offer of a job that was cancelled."""
    if fact.job.status is not JobStatus.CANCELLED:
        return
    offer = or_not_found(await store.get_offer(tx, id=fact.job.offer_id), NOUN)
    cancelled = offer_after(offer.status, OfferStep.CANCEL)
    if cancelled is None:
        raise AssertionError(f"the offer of a job cannot have the status {offer.status}")
    await move(tx, offer, cancelled)


def check_takes_offers(order: ServiceOrder, clock: Clock) -> None:
    """Raise CONFLICT if the order does not accept offers now."""
    if order.status is not ServiceOrderStatus.PENDING:
        raise conflict(f"the service order is {order.status.lower()}")
    if order.time_end <= clock():
        raise conflict("the time window of the service order has passed")


def settled(offer: Offer) -> Exception:
    """Return the error for a change of an offer that is no longer pending."""
    return conflict(f"the offer is {offer.status.lower()}")


def _price_after(before: Offer, changes: OfferChange) -> Decimal:
    return before.price if changes.price is UNSET else amount(changes.price)
