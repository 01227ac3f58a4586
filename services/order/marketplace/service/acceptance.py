"""Accepting an offer: exactly one of an order becomes its job, the others are rejected with it."""

from __future__ import annotations

from uuid import UUID

from lib.auth.guards import forbidden
from lib.clock import Clock, utc_now
from lib.db import Database, Executor
from lib.ids import new_id
from lib.resource.rules import check_version, conflict, or_not_found
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.service import offers, orders
from services.order.marketplace.service.domain_events import DOMAIN_EVENTS, JobBegun
from services.order.marketplace.service.steps import OfferStep, OrderStep, offer_after, order_after
from services.order.marketplace.store import jobs as store
from services.order.marketplace.store.models import Job, Offer, ServiceOrder


async def accept(
    db: Database,
    offer_id: UUID,
    caller: Caller,
    *,
    version: int | None = None,
    clock: Clock = utc_now,
) -> Job:
    """Accept an offer as it is in `version`, None for any; return the job it has become.

    Of several at once, whichever is first has the order; the others find it assigned.

    Raises:
        AppError: NOT_FOUND; FORBIDDEN for others than the order's customer; PRECONDITION_FAILED
            where the offer is no longer the one seen; CONFLICT where the order or the offer is
            settled, the order is paused, or its time has passed.
    """
    async with db.transaction() as tx:
        order, offer = await offers.locked(tx, offer_id, caller)
        if not caller.is_one_of(order.customer_id):
            raise forbidden()
        check_version(version, offer.version)
        assigned = order_after(order.status, OrderStep.ACCEPT)
        if assigned is None:
            raise conflict(f"the service order is {order.status.lower()}")
        accepted = offer_after(offer.status, OfferStep.ACCEPT)
        if accepted is None:
            raise offers.settled(offer)
        offers.check_takes_offers(order, clock)
        await offers.move(tx, offer, accepted)
        await orders.move(tx, order, assigned)
        job = await _add_job(tx, order, offer)
        await DOMAIN_EVENTS.publish(tx, JobBegun(job))
    return job


async def _add_job(tx: Executor, order: ServiceOrder, offer: Offer) -> Job:
    job_id = new_id()
    await store.add_job(
        tx,
        id=job_id,
        order_id=order.id,
        offer_id=offer.id,
        customer_id=order.customer_id,
        provider_id=offer.provider_id,
        service_id=order.service_id,
        price=offer.price,
        currency=offer.currency,
        book_time=offer.book_time,
    )
    return or_not_found(await store.get_job(tx, id=job_id), "job")
