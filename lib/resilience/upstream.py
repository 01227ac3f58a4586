"""One upstream's budget, bulkhead, retry and breaker, applied in that order to each call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from lib.resilience.breaker import CircuitBreaker
from lib.resilience.bulkhead import Bulkhead
from lib.resilience.deadline import budget, within
from lib.resilience.retry import RetryPolicy, retrying
from lib.work import Work

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upstream:
    """Surrounds calls: `await upstream.call(work, seconds=1.0, idempotent=True)`.

    The bulkhead is outside: a call that waits for its next attempt keeps its place, so that retries
    cannot multiply the load. The breaker is inside: it sees each attempt.
    """

    breaker: CircuitBreaker
    bulkhead: Bulkhead
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    work: Work | None = None  # where its calls are measured, waits and repetitions included

    async def call(
        self, work: Callable[[], Awaitable[T]], *, seconds: float, idempotent: bool
    ) -> T:
        """Run `work` within `seconds`, waits included; repeat it only where `idempotent`.

        Raises:
            AppError: CIRCUIT_OPEN, SERVICE_UNAVAILABLE (no place), DEADLINE_EXCEEDED, or what
                `work` raised.
        """
        called = self._call(work, seconds, idempotent)
        if self.work is None:
            return await called
        return await self.work.measured(self.breaker.name, called)

    async def _call(self, work: Callable[[], Awaitable[T]], seconds: float, idempotent: bool) -> T:

        async def attempt() -> T:
            # The time-out is inside the breaker: an upstream that hangs is one that fails.
            with self.breaker.guard():
                async with within(seconds, what=self.breaker.name):
                    return await work()

        with budget(seconds):
            async with self.bulkhead.slot():
                if not idempotent:
                    return await attempt()
                return await retrying(attempt, policy=self.retry, seconds=seconds)
