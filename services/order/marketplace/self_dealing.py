"""Find accounts that trade mostly with each other, perhaps only to earn points and ratings."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from lib.clock import Every
from lib.db import Executor
from lib.log import get_logger
from services.order.marketplace.store import jobs as store

log = get_logger(__name__)

# In a month: more than honest people do, less than is worth the trouble to others.
_JOBS_OF_A_PAIR: Final = 4
_REVIEWS: Final = 5
_CUSTOMERS: Final = 2
_EVERY_SECONDS: Final = 600.0


class SelfDealing:
    """Export the number of suspicious pairs of accounts as a metric, and log their IDs."""

    def __init__(
        self, db: Executor, registry: CollectorRegistry, *, every_seconds: float = _EVERY_SECONDS
    ) -> None:
        self._db = db
        self._measuring = Every(every_seconds)
        self._logged: frozenset[str] = frozenset()
        self._suspects = Gauge(
            "jobs_self_dealing_suspects",
            "Pairs of accounts that deal mostly with each other, by kind: through jobs or reviews.",
            ("kind",),
            registry=registry,
        )

    async def step(self) -> bool:
        """Count suspicious pairs once per interval. Return False, because no work is left.

        Raises:
            AppError: if the database is unavailable.
        """
        if self._measuring.is_due():
            pairs = await store.list_suspect_pairs(self._db, jobs=_JOBS_OF_A_PAIR)
            praised = await store.list_suspect_reviews(
                self._db, reviews=_REVIEWS, customers=_CUSTOMERS
            )
            self._suspects.labels("pair").set(len(pairs))
            self._suspects.labels("reviews").set(len(praised))
            self._report(
                frozenset(
                    [f"{row.one} {row.other}" for row in pairs]
                    + [str(row.provider_id) for row in praised]
                )
            )
        return False

    def _report(self, suspects: frozenset[str]) -> None:
        for suspect in sorted(suspects - self._logged):
            log.warning("self_dealing_suspected", accounts=suspect)
        self._logged = suspects
