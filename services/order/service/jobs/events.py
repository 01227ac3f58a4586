"""The events that tell others of offers and jobs, published with the change."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec import Struct

from lib import context
from lib.db import Executor
from lib.events import publish
from services.order.store.jobs.models import Job, Offer

OFFERS: Final = "offers"
JOBS: Final = "jobs"


class OfferMade(Struct, frozen=True):
    """The payload of `offer.made`, whose key is the order."""

    offer_id: UUID
    order_id: UUID
    customer_id: UUID
    provider_id: UUID


class JobCreated(Struct, frozen=True):
    """The payload of `job.created`; `actor` is who accepted."""

    job_id: UUID
    order_id: UUID
    offer_id: UUID
    customer_id: UUID
    provider_id: UUID
    actor: str


class JobCompleted(Struct, frozen=True):
    """The payload of `job.completed`; `actor` is who said so."""

    job_id: UUID
    order_id: UUID
    customer_id: UUID
    provider_id: UUID
    price: Decimal
    currency: str
    actor: str


async def offer_made(tx: Executor, offer: Offer, *, customer_id: UUID) -> None:
    """Publish that there is a new offer."""
    payload = OfferMade(offer.id, offer.order_id, customer_id, offer.provider_id)
    await publish(tx, topic=OFFERS, key=str(offer.order_id), kind="offer.made", payload=payload)


async def job_created(tx: Executor, job: Job) -> None:
    """Publish that an offer was accepted."""
    payload = JobCreated(
        job.id, job.order_id, job.offer_id, job.customer_id, job.provider_id, _actor()
    )
    await publish(tx, topic=JOBS, key=str(job.id), kind="job.created", payload=payload)


async def job_completed(tx: Executor, job: Job) -> None:
    """Publish that a job is done."""
    payload = JobCompleted(
        job.id, job.order_id, job.customer_id, job.provider_id, job.price, job.currency, _actor()
    )
    await publish(tx, topic=JOBS, key=str(job.id), kind="job.completed", payload=payload)


def _actor() -> str:
    return context.principal.get() or "order"
