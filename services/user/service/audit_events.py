"""What others tell of orders and jobs, written into the audit trail: it is read in one place."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.events import Event, Handler
from services.user.service import audit

# Who did it, where the event names nobody.
_SERVICE: Final = "order"


class OrderTold(msgspec.Struct, frozen=True):
    """What we need of the events `order.…`."""

    order_id: UUID
    user_id: UUID
    status: str
    total: Decimal
    currency: str
    actor: str = _SERVICE


class ServiceOrderTold(msgspec.Struct, frozen=True):
    """What we need of the events `service_order.…`."""

    order_id: UUID
    customer_id: UUID
    actor: str = _SERVICE


class JobTold(msgspec.Struct, frozen=True):
    """What we need of the events `job.…`."""

    job_id: UUID
    order_id: UUID
    customer_id: UUID
    provider_id: UUID
    actor: str = _SERVICE


async def _order(tx: Executor, event: Event) -> None:
    told = event.decode(OrderTold)
    await audit.record(
        tx,
        event.kind,
        told.order_id,
        resource_type="order",
        actor=told.actor,
        user_id=told.user_id,
        status=told.status,
        total=told.total,
        currency=told.currency,
        happened_at=event.created_at,
    )


async def _service_order(tx: Executor, event: Event) -> None:
    told = event.decode(ServiceOrderTold)
    await audit.record(
        tx,
        event.kind,
        told.order_id,
        resource_type="service_order",
        actor=told.actor,
        customer_id=told.customer_id,
        happened_at=event.created_at,
    )


async def _job(tx: Executor, event: Event) -> None:
    told = event.decode(JobTold)
    await audit.record(
        tx,
        event.kind,
        told.job_id,
        resource_type="job",
        actor=told.actor,
        order_id=told.order_id,
        customer_id=told.customer_id,
        provider_id=told.provider_id,
        happened_at=event.created_at,
    )


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "orders": {
        f"order.{what}": _order
        for what in ("created", "confirmed", "shipped", "delivered", "settled", "cancelled")
    },
    "service-orders": {
        f"service_order.{what}": _service_order for what in ("cancelled", "expired")
    },
    "jobs": {f"job.{what}": _job for what in ("created", "completed", "cancelled")},
}
