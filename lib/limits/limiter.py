"""The limiter that services use: shared through Redis, by the process alone while Redis is away."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from lib.errors import AppError
from lib.limits.leases import LeasedStore
from lib.limits.memory import MemoryStore
from lib.limits.redis_store import RedisStore
from lib.limits.rules import Decision, Rule
from lib.log import get_logger
from lib.resilience.breaker import BreakerPolicy, CircuitBreaker, State

log = get_logger(__name__)

_REDIS, _MEMORY = "redis", "memory"
# A short memory, or what went well would hide for long that Redis hangs; then a probe every two
# seconds, because it must not cost each request a time-out.
_POLICY = BreakerPolicy(min_requests=3, window_seconds=1.0, open_seconds=2.0, probes=1)


class Limiter:
    """Counts requests per key; fails open: without Redis each process limits by itself.

    The keys of different rules must differ, such as `ip:192.0.2.1` and `user:…`.
    """

    def __init__(
        self,
        redis: Redis | None,
        *,
        registry: CollectorRegistry | None = None,
        memory: MemoryStore | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._memory = memory or MemoryStore()
        self._breaker = breaker or CircuitBreaker("redis-limits", _POLICY)
        self._shared = None if redis is None else LeasedStore(RedisStore(redis), self._breaker)
        counter = _counter(registry)
        # Bound once: looking a child up costs more than counting.
        self._counted = {} if counter is None else _children(counter)

    @property
    def is_shared(self) -> bool:
        """Whether replicas share the counts right now."""
        return self._shared is not None and self._breaker.state is State.CLOSED

    async def take(self, rule: Rule, key: str) -> Decision:
        """Count one request of `key`; never raises for a Redis that is away."""
        decision, store = await self._take(rule, key)
        counted = self._counted.get((store, decision.allowed))
        if counted is not None:
            counted()
        return decision

    async def _take(self, rule: Rule, key: str) -> tuple[Decision, str]:
        if self._shared is not None:
            try:
                return await self._shared.take(rule, key), _REDIS
            except AppError:
                pass  # left alone: the breaker has logged it
            except (RedisError, OSError) as error:
                log.warning("limits_not_shared", error=repr(error))
        return self._memory.take(rule, key), _MEMORY


def _children(counter: Counter) -> dict[tuple[str, bool], Callable[[], None]]:
    outcomes = {True: "allowed", False: "refused"}
    return {
        (store, allowed): counter.labels(store, outcome).inc
        for store in (_REDIS, _MEMORY)
        for allowed, outcome in outcomes.items()
    }


def _counter(registry: CollectorRegistry | None) -> Counter | None:
    if registry is None:
        return None
    return Counter(
        "rate_limit_decisions_total",
        "Requests counted by the rate limiter, by the store that counted them and the outcome.",
        ("store", "outcome"),
        registry=registry,
    )
