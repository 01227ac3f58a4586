"""Accept an offer: create a job from the offer, and reject all other offers on the order."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from lib.auth.guards import forbidden
from lib.clock import Clock, utc_now
from lib.db import Database, Executor
from lib.errors import AppError, Code
from lib.ids import new_id
from lib.resource.rules import check_version, conflict, or_not_found
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.offers import Agreed
from services.order.marketplace.service import offers, orders
from services.order.marketplace.service.domain_events import DOMAIN_EVENTS, JobStarted
from services.order.marketplace.service.steps import OfferStep, OrderStep, offer_after, order_after
from services.order.marketplace.store import jobs as store
from services.order.marketplace.store.models import Job, Offer, ServiceOrder

_UNSEEN: Final = (
    "send the terms that you accept: the offer's ETag in If-Match, or its price and currency"
)


async def accept(
    db: Database,
    offer_id: UUID,
    caller: Caller,
    *,
    version: int | None = None,
    agreed: Agreed | None = None,
    clock: Clock = utc_now,
) -> Job:
    """Accept an offer and return its new job.

    The caller names the accepted terms: the `version` of the offer, the price `agreed`, or both. If
    several requests accept offers on an order at once, only the first one succeeds.

    Raises:
        AppError: PRECONDITION_REQUIRED without terms; NOT_FOUND; FORBIDDEN unless the caller is the
            order's customer; PRECONDITION_FAILED if the offer has other terms now; CONFLICT if the
            order or the offer is settled, the order is paused, or its time has passed.
    """
    if version is None and agreed is None:
        raise AppError(Code.PRECONDITION_REQUIRED, _UNSEEN)
    async with db.transaction() as tx:
        order, offer = await offers.locked(tx, offer_id, caller)
        if not caller.is_one_of(order.customer_id):
            raise forbidden()
        if order_after(order.status, OrderStep.ACCEPT) is None:
            raise conflict(f"the service order is {order.status.lower()}")
        accepted = offer_after(offer.status, OfferStep.ACCEPT)
        if accepted is None:
            raise offers.settled(offer)
        # After that: what is settled has another version, and the reason is the better answer.
        check_version(version, offer.version)
        if agreed is not None and agreed != Agreed(offer.price, offer.currency):
            raise AppError(
                Code.PRECONDITION_FAILED,
                f"the price of the offer is now {offer.price} {offer.currency}",
            )
        offers.check_takes_offers(order, clock)
        await offers.move(tx, offer, accepted)
        await orders.take(tx, [order], OrderStep.ACCEPT)
        job = await _add_job(tx, order, offer)
        await DOMAIN_EVENTS.publish(tx, JobStarted(job))
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
