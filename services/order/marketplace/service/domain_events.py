"""Domain events of the marketplace, and a bus that runs handlers in the same transaction.

The code that publishes an event does not know its handlers: `services.order.marketplace.service`
lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lib.events import DomainEvents
from services.order.marketplace.service.steps import Actor
from services.order.marketplace.store.models import Job, Offer, ServiceOrder

DOMAIN_EVENTS: Final = DomainEvents()


@dataclass(frozen=True, slots=True)
class OrdersMoved:
    """Service orders have a new status. `orders` are their new states."""

    orders: Sequence[ServiceOrder]


@dataclass(frozen=True, slots=True)
class OfferMade:
    """A provider has made an offer on a customer's order."""

    offer: Offer
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A customer has accepted an offer."""

    job: Job


@dataclass(frozen=True, slots=True)
class JobMoved:
    """A job has a new status. `job` is the new state; `order` is not updated yet."""

    job: Job
    order: ServiceOrder
    by: Actor
