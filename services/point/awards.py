"""Award points for events of orders and jobs, as entries of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec import Struct

from lib.db import Executor
from lib.events import Event, Handler
from lib.log import get_logger
from services.point import model, service

log = get_logger(__name__)

GROUP: Final = "point-awards"


class OrderSettled(Struct, frozen=True):
    """Fields used from `order.settled`."""

    order_id: UUID
    user_id: UUID
    total: Decimal
    currency: str


class JobCompleted(Struct, frozen=True):
    """Fields used from `job.completed`."""

    job_id: UUID
    customer_id: UUID
    provider_id: UUID
    price: Decimal
    currency: str


class JobCancelled(Struct, frozen=True):
    """Fields used from `job.cancelled`."""

    job_id: UUID


@dataclass(frozen=True, slots=True)
class Awards:
    """The rules by which users earn points.

    `rates` maps the code of a currency to the value of one unit; a value of 10 earns one point.
    Payments in other currencies earn no points.
    """

    rates: Mapping[str, Decimal]

    async def order_settled(self, tx: Executor, event: Event) -> None:
        """Award points to the customer of a paid order."""
        payload = event.decode(OrderSettled)
        await service.award(
            tx,
            payload.user_id,
            self._for_spending(payload.total, payload.currency),
            reason=f"order {payload.order_id} delivered",
            source=f"order:{payload.order_id}:customer",
        )

    async def job_completed(self, tx: Executor, event: Event) -> None:
        """Award points to the customer for the payment and to the provider for the work."""
        payload = event.decode(JobCompleted)
        spent = self._for_spending(payload.price, payload.currency)
        customer, provider = payload.customer_id, payload.provider_id
        awards = [
            (customer, provider, spent, _source(payload.job_id, "customer")),
            (provider, customer, model.FOR_A_JOB_DONE, _source(payload.job_id, "provider")),
        ]
        # Always in one order, so that two who award the same people do not deadlock.
        for user_id, counterpart, amount, source in sorted(awards, key=lambda award: award[0]):
            await service.award(
                tx,
                user_id,
                amount,
                reason=f"job {payload.job_id} completed",
                source=source,
                counterpart=counterpart,
            )

    def _for_spending(self, amount: Decimal, currency: str) -> int:
        rate = self.rates.get(currency)
        if rate is None:
            log.warning("currency_without_rate", currency=currency)
            return 0
        return model.points_for_spending(amount * rate)


async def job_cancelled(tx: Executor, event: Event) -> None:
    """Deduct the points of a job that was cancelled after its completion."""
    payload = event.decode(JobCancelled)
    sources = [_source(payload.job_id, side) for side in ("customer", "provider")]
    await service.take_back(tx, sources, reason=f"job {payload.job_id} taken back")


def handlers(rates: Mapping[str, Decimal]) -> dict[str, dict[str, Handler]]:
    """Return the event handlers by topic and type."""
    awards = Awards(rates)
    return {
        "orders": {"order.settled": awards.order_settled},
        "jobs": {"job.completed": awards.job_completed, "job.cancelled": job_cancelled},
    }


def _source(job_id: UUID, side: str) -> str:
    return f"job:{job_id}:{side}"


HANDLERS: Final = handlers(model.parse_rates(model.RATES))
