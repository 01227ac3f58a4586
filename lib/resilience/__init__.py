"""Calls to other services: deadline, bulkhead, retry and circuit breaker, for any transport."""

from lib.resilience.breaker import BreakerPolicy, CircuitBreaker, State
from lib.resilience.bulkhead import Bulkhead
from lib.resilience.deadline import budget, within
from lib.resilience.retry import RetryPolicy
from lib.resilience.upstream import Upstream

__all__ = [
    "BreakerPolicy",
    "Bulkhead",
    "CircuitBreaker",
    "RetryPolicy",
    "State",
    "Upstream",
    "budget",
    "within",
]
