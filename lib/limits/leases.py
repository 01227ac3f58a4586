"""Reserve several requests in Redis at once, so that a busy key needs few round trips."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace
from redis.exceptions import RedisError

from lib.limits.redis_store import RedisStore
from lib.limits.rules import Decision, Rule, TokenBucket

_SECONDS: Final = 0.5
# Of its limit a process holds at most this part: what it holds and does not use is lost to others.
_PART: Final = 10


@dataclass(slots=True)
class _Lease:
    """The number of requests of a key that this process may still allow, or a refusal by Redis."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    left: int = 0
    size: int = 1
    until: float = 0.0
    period: int = 0
    decision: Decision | None = None

    def answer(self, now: float) -> Decision | None:
        """Return the decision on one more request, or None if Redis must decide."""
        known = self.decision
        if known is None or now >= self.until:
            return None
        if not known.allowed:
            # Used quota is never returned: a refusal is valid until the time that Redis reported.
            return replace(known, retry_after=self.until - now)
        if self.left == 0:
            return None
        self.left -= 1
        remaining = known.remaining + self.left
        return Decision(True, known.limit, remaining, known.retry_after, known.reset_after)

    def ended_with(self, now: float) -> int:
        """Return how many requests of an ended lease were not used; a second call returns 0.

        Return 0 before the lease ends.
        """
        if self.left == 0 or now < self.until:
            return 0
        left, self.left = self.left, 0
        return left

    def next_size(self, now: float, most: int) -> int:
        """Return the size of the next lease: double if this one was used up in time, else half."""
        if self.left == 0 and now < self.until:
            return min(most, self.size * 2)
        return max(1, self.size // 2)


class LeasedStore:
    """Decide from leases. A lease from Redis allows the next few requests of a key.

    All processes together never allow more requests than the rule. Unused requests of an ended
    lease are returned to Redis at the next request of the key or soon after, so that they are not
    lost.
    """

    def __init__(
        self,
        store: RedisStore,
        *,
        max_keys: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._max_keys = max_keys
        self._clock = clock
        self._leases: OrderedDict[tuple[Rule, str], _Lease] = OrderedDict()
        # Leases with something left to give back when they end, the first to end first.
        self._ending: deque[tuple[float, tuple[Rule, str], _Lease]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._giving: asyncio.Task[None] | None = None

    def known(self, rule: Rule, key: str) -> Decision | None:
        """Count one request if the key's lease can decide. Return None if Redis must decide."""
        place = (rule, key)
        lease = self._leases.get(place)
        if lease is None:
            return None
        self._leases.move_to_end(place)
        return lease.answer(self._clock())

    async def take(self, rule: Rule, key: str) -> Decision:
        """Count one request of `key` under `rule`.

        Raises:
            redis.RedisError: if Redis does not respond.
        """
        known = self.known(rule, key)
        if known is not None:
            return known
        lease = self._lease(rule, key)
        async with lease.lock:
            # The previous holder of the lock has probably got a lease that is enough for us too.
            known = lease.answer(self._clock())
            return known if known is not None else await self._ask(rule, key, lease)

    async def give_back(self) -> None:
        """Give the unused requests of ended leases back to Redis.

        Raises:
            redis.RedisError: if Redis does not respond; the unused requests are lost then.
        """
        while self._ending and self._ending[0][0] <= self._clock():
            _, (rule, key), lease = self._ending.popleft()
            async with lease.lock:
                left = lease.ended_with(self._clock())
                if left:
                    await self._store.take(rule, key, 0, returned=left, period=lease.period)

    async def aclose(self) -> None:
        """Stop. The unused requests of leases are lost for the current window."""
        if self._timer is not None:
            self._timer.cancel()
        if self._giving is not None:
            self._giving.cancel()
            await asyncio.gather(self._giving, return_exceptions=True)

    async def _ask(self, rule: Rule, key: str, lease: _Lease) -> Decision:
        limit = rule.burst if isinstance(rule, TokenBucket) else rule.limit
        now = self._clock()
        size = lease.next_size(now, max(1, limit // _PART))
        left = lease.ended_with(now)
        grant = await self._store.take(rule, key, size, returned=left, period=lease.period)
        now = self._clock()
        lease.decision, lease.left, lease.size = grant.decision, grant.count, size
        lease.period = grant.period
        lease.until = now + (_SECONDS if grant.count else grant.decision.retry_after)
        decision = lease.answer(now) or grant.decision
        if lease.left:
            self._ending.append((lease.until, (rule, key), lease))
            self._give_back_later()
        return decision

    def _give_back_later(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_SECONDS, self._start_giving_back)

    def _start_giving_back(self) -> None:
        self._giving = asyncio.create_task(self._give_back_ended(), name="limits-give-back")

    async def _give_back_ended(self) -> None:
        try:
            await self.give_back()
        except (RedisError, OSError):
            # It is away: what was left is lost, and each process counts by itself.
            self._ending.clear()
        self._timer = None
        if self._ending:
            self._give_back_later()

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
