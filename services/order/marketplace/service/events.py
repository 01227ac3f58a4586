"""Events about orders, offers and jobs for other services, published with the change."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec import Struct

from lib import context
from lib.db import Executor
from lib.events import Topic, Unpublished, outbox, publish, unpublished
from services.order.marketplace.service.domain_events import (
    JobMoved,
    JobStarted,
    OfferMade,
    OrdersMoved,
)
from services.order.marketplace.service.steps import Actor
from services.order.marketplace.store.models import Job, JobStatus, ServiceOrder, ServiceOrderStatus

_ENDS_OF_ORDERS: Final = {
    ServiceOrderStatus.CANCELLED: "service_order.cancelled",
    ServiceOrderStatus.EXPIRED: "service_order.expired",
}


class ServiceOrderEnded(Struct, frozen=True):
    """The payload of `service_order.cancelled` and `.expired`: the order ended without work."""

    order_id: UUID
    customer_id: UUID
    service_id: UUID
    time_end: datetime
    actor: str


class OfferEvent(Struct, frozen=True):
    """The payload of `offer.made`. The order's ID is the event key."""

    offer_id: UUID
    order_id: UUID
    customer_id: UUID
    provider_id: UUID


class JobCreated(Struct, frozen=True):
    """The payload of `job.created`. `actor` accepted the offer."""

    job_id: UUID
    order_id: UUID
    offer_id: UUID
    customer_id: UUID
    provider_id: UUID
    actor: str


class JobCompleted(Struct, frozen=True):
    """The payload of `job.completed`. `actor` confirmed the job."""

    job_id: UUID
    order_id: UUID
    customer_id: UUID
    provider_id: UUID
    price: Decimal
    currency: str
    actor: str


class JobDone(Struct, frozen=True):
    """The payload of `job.done`: the provider reports the job done, the customer may object."""

    job_id: UUID
    order_id: UUID
    customer_id: UUID
    provider_id: UUID
    actor: str


class JobCancelled(Struct, frozen=True):
    """The payload of `job.cancelled`.

    `by` is the party that cancelled the job, or an administrator.

    `actor` is the service itself if this party's account no longer exists.
    """

    job_id: UUID
    order_id: UUID
    customer_id: UUID
    provider_id: UUID
    by: Actor
    actor: str


SERVICE_ORDERS: Final = Topic(
    "service-orders", dict.fromkeys(_ENDS_OF_ORDERS.values(), ServiceOrderEnded)
)
OFFERS: Final = Topic("offers", {"offer.made": OfferEvent})
JOBS: Final = Topic(
    "jobs",
    {
        "job.created": JobCreated,
        "job.done": JobDone,
        "job.completed": JobCompleted,
        "job.cancelled": JobCancelled,
    },
)


async def orders_moved(tx: Executor, fact: OrdersMoved) -> None:
    """Publish that service orders were cancelled or have expired."""
    ended = (order for order in fact.orders if order.status in _ENDS_OF_ORDERS)
    await outbox.write(tx, *map(_order_ended, ended))


async def offer_made(tx: Executor, fact: OfferMade) -> None:
    """Publish that an offer was made."""
    offer = fact.offer
    payload = OfferEvent(offer.id, offer.order_id, fact.customer_id, offer.provider_id)
    await publish(tx, topic=OFFERS, key=str(offer.order_id), kind="offer.made", payload=payload)


async def job_started(tx: Executor, fact: JobStarted) -> None:
    """Publish that an offer was accepted."""
    job = fact.job
    payload = JobCreated(
        job.id, job.order_id, job.offer_id, job.customer_id, job.provider_id, _actor()
    )
    await publish(tx, topic=JOBS, key=str(job.id), kind="job.created", payload=payload)


async def job_moved(tx: Executor, fact: JobMoved) -> None:
    """Publish that a job is done, completed or cancelled."""
    job = fact.job
    if job.status is JobStatus.DONE:
        done = JobDone(job.id, job.order_id, job.customer_id, job.provider_id, _actor())
        await publish(tx, topic=JOBS, key=str(job.id), kind="job.done", payload=done)
    if job.status is JobStatus.COMPLETED:
        await publish(
            tx, topic=JOBS, key=str(job.id), kind="job.completed", payload=_completed(job)
        )
    if job.status is JobStatus.CANCELLED:
        payload = JobCancelled(
            job.id, job.order_id, job.customer_id, job.provider_id, fact.by, _actor()
        )
        await publish(tx, topic=JOBS, key=str(job.id), kind="job.cancelled", payload=payload)


def _order_ended(order: ServiceOrder) -> Unpublished:
    kind = _ENDS_OF_ORDERS[order.status]
    payload = ServiceOrderEnded(
        order.id, order.customer_id, order.service_id, order.time_end, _actor()
    )
    return unpublished(topic=SERVICE_ORDERS, key=str(order.id), kind=kind, payload=payload)


def _completed(job: Job) -> JobCompleted:
    return JobCompleted(
        job.id, job.order_id, job.customer_id, job.provider_id, job.price, job.currency, _actor()
    )


def _actor() -> str:
    return context.principal.get() or "order"
