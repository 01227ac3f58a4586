"""Requests taken from Redis a few at a time, so that a busy key does not cost a round trip each."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from lib.limits.redis_store import RedisStore
from lib.limits.rules import Decision, Rule, TokenBucket
from lib.resilience.breaker import CircuitBreaker

_SECONDS: Final = 0.5
# Of its limit a process holds at most this part: what it holds and does not use is lost to others.
_PART: Final = 10


@dataclass(slots=True)
class _Lease:
    """What a process holds for one key: requests it may let through, or a refusal it knows."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    left: int = 0
    size: int = 1
    until: float = 0.0
    decision: Decision | None = None

    def answer(self, now: float) -> Decision | None:
        """Return the decision on one more request, None where Redis has to be asked."""
        known = self.decision
        if known is None or now >= self.until:
            return None
        if not known.allowed:
            # Nobody gives anything back, so it holds until the moment that Redis named.
            return replace(known, retry_after=self.until - now)
        if self.left == 0:
            return None
        self.left -= 1
        remaining = known.remaining + self.left
        return Decision(True, known.limit, remaining, known.retry_after, known.reset_after)

    def next_size(self, now: float, most: int) -> int:
        """Return how many to ask for: twice the last number where those were used up in time."""
        if self.left == 0 and now < self.until:
            return min(most, self.size * 2)
        return max(1, self.size // 2)


class LeasedStore:
    """Decides from what it holds; asks Redis for the next few, for a quiet key singly.

    All processes together never let through more than the rule allows.
    """

    def __init__(
        self,
        store: RedisStore,
        breaker: CircuitBreaker,
        *,
        max_keys: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._breaker = breaker
        self._max_keys = max_keys
        self._clock = clock
        self._leases: OrderedDict[tuple[Rule, str], _Lease] = OrderedDict()

    async def take(self, rule: Rule, key: str) -> Decision:
        """Count one request of `key` under `rule`.

        Raises:
            redis.RedisError: where Redis does not answer.
            AppError: CIRCUIT_OPEN where it did not for a while.
        """
        lease = self._lease(rule, key)
        known = lease.answer(self._clock())
        if known is not None:
            return known
        async with lease.lock:
            # Whoever had the lock before has probably asked for us as well.
            known = lease.answer(self._clock())
            return known if known is not None else await self._ask(rule, key, lease)

    async def _ask(self, rule: Rule, key: str, lease: _Lease) -> Decision:
        limit = rule.burst if isinstance(rule, TokenBucket) else rule.limit
        size = lease.next_size(self._clock(), max(1, limit // _PART))
        with self._breaker.guard():
            grant = await self._store.take(rule, key, size)
        now = self._clock()
        lease.decision, lease.left, lease.size = grant.decision, grant.count, size
        lease.until = now + (_SECONDS if grant.count else grant.decision.retry_after)
        return lease.answer(now) or grant.decision

    def _lease(self, rule: Rule, key: str) -> _Lease:
        place = (rule, key)
        lease = self._leases.get(place)
        if lease is None:
            lease = self._leases[place] = _Lease()
            if len(self._leases) > self._max_keys:
                self._leases.popitem(last=False)
        else:
            self._leases.move_to_end(place)
        return lease
