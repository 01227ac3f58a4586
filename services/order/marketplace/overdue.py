"""Expire overdue service orders, and export metrics about overdue orders."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from lib.clock import Every
from lib.db import Database
from services.order.marketplace.service.expiry import expire
from services.order.marketplace.store import service_orders


class OverdueOrders:
    """Expire overdue service orders. Several processes may do this at the same time."""

    def __init__(self, db: Database, registry: CollectorRegistry) -> None:
        self._db = db
        self._measuring = Every(10.0)
        self._expired = Counter(
            "service_orders_expired_total",
            "Service orders that expired without an accepted offer.",
            registry=registry,
        )
        self._waiting = Gauge(
            "service_orders_overdue",
            "Service orders that are still open after their time window.",
            registry=registry,
        )
        self._oldest = Gauge(
            "service_orders_overdue_oldest_seconds",
            "Seconds since the time window of the oldest overdue service order ended.",
            registry=registry,
        )

    async def step(self) -> bool:
        """Expire some orders. Return whether any orders were overdue.

        Raises:
            AppError: if the database is unavailable.
        """
        # First, so that it is seen how long they stay where expiring itself fails.
        await self._measure()
        expired = await expire(self._db)
        self._expired.inc(expired)
        return expired > 0

    async def _measure(self) -> None:
        if self._measuring.is_due():
            found = await service_orders.measure_overdue_orders(self._db)
            self._waiting.set(found.waiting)
            self._oldest.set(found.oldest_seconds)
