"""The rate limiter of services: shared through Redis, or per process while Redis is down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector
from redis.asyncio import Redis
from redis.exceptions import RedisError

from lib.errors import AppError
from lib.limits.leases import LeasedStore
from lib.limits.memory import MemoryStore
from lib.limits.redis_store import RedisStore
from lib.limits.rules import Decision, Rule
from lib.log import get_logger
from lib.redis.circuit import RedisCircuit

log = get_logger(__name__)


class _Tally:
    """The numbers of requests that one store, Redis or memory, has allowed and refused."""

    __slots__ = ("allowed", "refused")

    def __init__(self) -> None:
        self.allowed = self.refused = 0

    def count(self, decision: Decision) -> Decision:
        if decision.allowed:
            self.allowed += 1
        else:
            self.refused += 1
        return decision


class Limiter:
    """Count requests per key. Without Redis, each process counts only its own requests.

    Keys of different rules must differ, such as `ip:192.0.2.1` and `user:…`.
    """

    def __init__(
        self,
        redis: Redis | None,
        *,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._memory = MemoryStore()
        self._circuit = None if redis is None else RedisCircuit(redis, "redis-limits")
        self._shared = None if redis is None else LeasedStore(RedisStore(redis))
        self._by_redis, self._by_memory = _Tally(), _Tally()
        if registry is not None:
            _Decisions({"redis": self._by_redis, "memory": self._by_memory}, registry)

    @property
    def is_shared(self) -> bool:
        """Return whether replicas share the counts now."""
        return self._circuit is not None and not self._circuit.is_open

    def known(self, rule: Rule, key: str) -> Decision | None:
        """Count one request of `key` without a call to Redis.

        Return None if only `take` can decide.

        Most requests can be decided here, and a call to Redis would take longer than the decision.
        """
        if self._shared is None or self._circuit is None or self._circuit.is_open:
            return self._by_memory.count(self._memory.take(rule, key))
        decision = self._shared.known(rule, key)
        return None if decision is None else self._by_redis.count(decision)

    async def take(self, rule: Rule, key: str) -> Decision:
        """Count one request of `key`. Never raises while Redis is down."""
        decision = self.known(rule, key)
        if decision is not None:
            return decision
        if self._shared is not None and self._circuit is not None:
            decision = await self._ask(self._shared, self._circuit, rule, key)
            if decision is not None:
                return self._by_redis.count(decision)
        return self._by_memory.count(self._memory.take(rule, key))

    async def aclose(self) -> None:
        """Stop the background tasks. Unused leases are lost for the current window."""
        if self._shared is not None:
            await self._shared.aclose()
        if self._circuit is not None:
            await self._circuit.aclose()

    async def _ask(
        self, shared: LeasedStore, circuit: RedisCircuit, rule: Rule, key: str
    ) -> Decision | None:
        try:
            with circuit.guard():
                return await shared.take(rule, key)
        except AppError:
            pass  # the circuit is open, and has logged this
        except (RedisError, OSError) as error:
            log.warning("limits_not_shared", error=error)
        return None


class _Decisions(Collector):
    """The metric `rate_limit_decisions_total{store,outcome}`, read from the limiter at a scrape."""

    def __init__(self, tallies: Mapping[str, _Tally], registry: CollectorRegistry) -> None:
        self._tallies = tallies
        registry.register(self)

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return one sample per store and outcome."""
        family = CounterMetricFamily(
            "rate_limit_decisions",
            "Requests counted by the rate limiter, by store and outcome.",
            labels=("store", "outcome"),
        )
        for store, tally in self._tallies.items():
            family.add_metric((store, "allowed"), tally.allowed)
            family.add_metric((store, "refused"), tally.refused)
        yield family
