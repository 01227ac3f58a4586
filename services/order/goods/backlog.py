"""Metrics of goods orders with unfinished steps: their number and the age of the oldest."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from lib.clock import Every
from lib.db import Executor
from services.order.goods.store import backlog


class BacklogGauges:
    """Gauges for the number of unfinished goods orders and the age of the oldest."""

    def __init__(self, db: Executor, registry: CollectorRegistry) -> None:
        self._db = db
        self._measure = Every(10.0)
        self._waiting = Gauge(
            "orders_waiting", "Goods orders with unfinished steps.", registry=registry
        )
        self._oldest = Gauge(
            "orders_oldest_seconds",
            "Age of the oldest goods order with unfinished steps.",
            registry=registry,
        )

    async def refresh(self) -> None:
        """Measure the unfinished orders, at most once in ten seconds.

        Raises:
            AppError: if the database is unavailable.
        """
        if self._measure.is_due():
            found = await backlog.measure_backlog(self._db)
            self._waiting.set(found.waiting)
            self._oldest.set(found.oldest_seconds)
