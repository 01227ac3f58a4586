"""Points for what happens elsewhere: events of orders and jobs become entries of the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec import Struct

from lib.db import Executor
from lib.events import Event, Handler
from services.point import model, service

GROUP: Final = "point-awards"


class OrderDelivered(Struct, frozen=True):
    """What we need of `order.delivered`."""

    order_id: UUID
    user_id: UUID
    total: Decimal


class JobCompleted(Struct, frozen=True):
    """What we need of `job.completed`."""

    job_id: UUID
    customer_id: UUID
    provider_id: UUID
    price: Decimal


async def order_delivered(tx: Executor, event: Event) -> None:
    """Thank the customer for what was paid."""
    told = event.decode(OrderDelivered)
    await service.award(
        tx,
        told.user_id,
        model.points_for_spending(told.total),
        reason=f"order {told.order_id} delivered",
        source=f"order:{told.order_id}:customer",
    )


async def job_completed(tx: Executor, event: Event) -> None:
    """Thank the customer for what was paid, and the provider for the work."""
    told = event.decode(JobCompleted)
    reason = f"job {told.job_id} completed"
    awards = [
        (told.customer_id, model.points_for_spending(told.price), f"job:{told.job_id}:customer"),
        (told.provider_id, model.FOR_A_JOB_DONE, f"job:{told.job_id}:provider"),
    ]
    # Always in one order, so that two who award the same people wait and do not embrace.
    for user_id, amount, source in sorted(awards, key=lambda award: award[0]):
        await service.award(tx, user_id, amount, reason=reason, source=source)


HANDLERS: Final[dict[str, dict[str, Handler]]] = {
    "orders": {"order.delivered": order_delivered},
    "jobs": {"job.completed": job_completed},
}
