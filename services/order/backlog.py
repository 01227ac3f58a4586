"""How much the recovery of orders has before it, for whoever watches."""

from __future__ import annotations

import time
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from lib.db import Executor
from services.order.store.goods import backlog

_MEASURE_SECONDS: Final = 10.0


class BacklogGauges:
    """Orders of goods with something left to do, and how long the oldest of them has waited."""

    def __init__(self, db: Executor, registry: CollectorRegistry) -> None:
        self._db = db
        self._measured_at = float("-inf")
        self._waiting = Gauge(
            "orders_waiting", "Orders with something left to do.", registry=registry
        )
        self._oldest = Gauge(
            "orders_oldest_seconds", "How long the oldest of them has waited.", registry=registry
        )

    async def refresh(self) -> None:
        """Measure, unless it was done within ten seconds.

        Raises:
            AppError: where the database is away.
        """
        if time.monotonic() - self._measured_at > _MEASURE_SECONDS:
            self._measured_at = time.monotonic()
            found = await backlog.measure_backlog(self._db)
            self._waiting.set(found.waiting)
            self._oldest.set(found.oldest_seconds)
