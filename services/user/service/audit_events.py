"""Write events about orders and jobs of other services to the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from lib.db import Executor
from lib.events import Event, Handler
from services.user.service import audit

# The actor if the event does not name one.
_SERVICE: Final = "order"


class OrderEvent(msgspec.Struct, frozen=True):
    """Fields used from the events `order.…`."""

    order_id: UUID
    user_id: UUID
    status: str
    total: Decimal
    currency: str
    actor: str = _SERVICE


class ServiceOrderEvent(msgspec.Struct, frozen=True):
    """Fields used from the events `service_order.…`."""

    order_id: UUID
    customer_id: UUID
    actor: str = _SERVICE


class JobEvent(msgspec.Struct, frozen=True):
    """Fields used from the events `job.…`."""

    job_id: UUID
    order_id: UUID
    customer_id: UUID
    provider_id: UUID
    actor: str = _SERVICE


class Changed(msgspec.Struct, frozen=True):
    """Fields used from all other events, such as `product.changed`.

    Only events about the services that a provider offers have `provider_id` and `service_id`.
    """

    id: UUID | None = None
    provider_id: UUID | None = None
    service_id: UUID | None = None
    actor: str = ""


def _all_of(shape: type[msgspec.Struct], identified_by: str) -> Handler:
    """Return a handler that records all fields of the event payload type `shape`."""

    async def handle(tx: Executor, event: Event) -> None:
        payload = asdict(event.decode(shape))
        await audit.record(
            tx,
            event.kind,
            payload.pop(identified_by),
            resource_type=event.kind.partition(".")[0],
            **payload,
            happened_at=event.created_at,
        )

    return handle


def _change_of(service: str) -> Handler:
    """Return a handler for events such as `thing.changed`.

    The handler records only the ID and the actor.
    """

    async def handle(tx: Executor, event: Event) -> None:
        payload = event.decode(Changed)
        thing = payload.id or payload.provider_id
        await audit.record(
            tx,
            event.kind,
            str(thing),
            resource_type=event.kind.partition(".")[0],
            actor=payload.actor or service,
            **({} if payload.service_id is None else {"service_id": payload.service_id}),
            happened_at=event.created_at,
        )

    return handle


def _changes_of(service: str, *things: str) -> Mapping[str, Handler]:
    whats = ("created", "changed", "removed")
    return {f"{thing}.{what}": _change_of(service) for thing in things for what in whats}


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "orders": {
        f"order.{what}": _all_of(OrderEvent, "order_id")
        for what in ("created", "confirmed", "shipped", "delivered", "settled", "cancelled")
    },
    "service-orders": {
        f"service_order.{what}": _all_of(ServiceOrderEvent, "order_id")
        for what in ("cancelled", "expired")
    },
    "jobs": {
        f"job.{what}": _all_of(JobEvent, "job_id") for what in ("created", "completed", "cancelled")
    },
    "products": _changes_of("product", "product"),
    "departments": _changes_of("department", "department"),
    "cities": _changes_of("order", "city"),
    "catalog": {
        **_changes_of("catalog", "category_type", "category", "subcategory", "service"),
        "provider_service.added": _change_of("catalog"),
        "provider_service.removed": _change_of("catalog"),
    },
}
