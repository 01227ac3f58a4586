"""What happens in the marketplace, and the bus that says so inside the unit of work of the cause.

Who causes something need not know what follows: `services.order.marketplace.service` has the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lib.events import DomainEvents
from services.order.marketplace.service.steps import Actor
from services.order.marketplace.store.models import Job, Offer, ServiceOrder

DOMAIN_EVENTS: Final = DomainEvents()


@dataclass(frozen=True, slots=True)
class OrderMoved:
    """A service order has another status: it is `order` now."""

    order: ServiceOrder


@dataclass(frozen=True, slots=True)
class OfferMade:
    """There is a new offer on an order of that customer."""

    offer: Offer
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class JobBegun:
    """An offer was accepted."""

    job: Job


@dataclass(frozen=True, slots=True)
class JobMoved:
    """A job has another status: it is `job` now, its order is still as it was."""

    job: Job
    order: ServiceOrder
    by: Actor
