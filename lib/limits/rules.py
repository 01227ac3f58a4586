"""The two rate limit rules as pure functions. The Lua script has the same rules."""

from __future__ import annotations

import math
from typing import TypeAlias

from msgspec import Struct


class Decision(Struct, frozen=True, gc=False):
    """The decision of a rate limit rule on a request. Times are in seconds."""

    allowed: bool
    limit: int
    remaining: int
    retry_after: float
    reset_after: float

    def headers(self) -> dict[str, str]:
        """Return the `RateLimit-*` headers, and `Retry-After` for a refusal, in whole seconds."""
        named: dict[str, str] = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset_after)),
        }
        if not self.allowed:
            named["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        return named

    def lines(self) -> str:
        """Return the header lines for an allowed request, with line ends."""
        return (
            f"RateLimit-Limit: {self.limit}\r\nRateLimit-Remaining: {self.remaining}\r\n"
            f"RateLimit-Reset: {math.ceil(self.reset_after)}\r\n"
        )


class TokenBucket(Struct, frozen=True, cache_hash=True):
    """A token bucket: `rate` tokens per second, up to `burst`. A request takes one token.

    A bucket is stored as one number: the time at which it will be full. For a full bucket this time
    is in the past, so a missing bucket and a full bucket are the same.
    """

    rate: float = 100.0
    burst: int = 200

    @property
    def idle_seconds(self) -> float:
        """Return the seconds after which an unused key has no effect and can be dropped."""
        return self.burst / self.rate

    def unused(self, now: float) -> float:
        """Return the bucket of an unused key, which is full."""
        return now

    def take(self, full_at: float, now: float) -> tuple[float, Decision]:
        """Return the bucket after one request at `now`, and the decision on this request."""
        rate, burst = self.rate, self.burst
        # Without `max` and `int()`, each of which costs a third of all this.
        later = (full_at if full_at > now else now) + 1 / rate  # noqa: FURB136 - as said
        ahead = later - now
        room = burst / rate - ahead
        # The tolerance is below one token in any rate used here: it forgives rounding, no more.
        if room < -1e-6:
            return full_at, Decision(False, burst, 0, -room, full_at - now)
        return later, Decision(True, burst, math.trunc(room * rate + 1e-6), 0.0, ahead)


class Counted(Struct, frozen=True, gc=False):
    """The number of a window since the epoch, and the requests in it and in the previous window."""

    number: int = 0
    current: int = 0
    previous: int = 0


class Window(Struct, frozen=True, cache_hash=True):
    """A sliding window: at most `limit` requests in `seconds`.

    A part of the requests in the previous window counts too.
    """

    limit: int
    seconds: float

    @property
    def idle_seconds(self) -> float:
        """Return the seconds after which an unused key can be dropped."""
        return 2 * self.seconds

    def unused(self, now: float) -> Counted:  # noqa: ARG002 - the rules are called alike
        """Return the counts of a key without requests, which are 0."""
        return Counted()

    def take(self, counted: Counted, now: float) -> tuple[Counted, Decision]:
        """Return the counts after one request at `now`, and the decision on this request."""
        limit, seconds = self.limit, self.seconds
        number = math.floor(now / seconds)
        current, previous = counted.current, counted.previous
        if counted.number != number:
            current, previous = 0, current if counted.number == number - 1 else 0
        ends_in = (number + 1) * seconds - now
        left = limit - current - previous * (ends_in / seconds) - 1 + 1e-6
        if left < 0:
            wait = self._wait(current, previous, ends_in)
            return Counted(number, current, previous), Decision(False, limit, 0, wait, ends_in)
        after = Counted(number, current + 1, previous)
        return after, Decision(True, limit, math.floor(left), 0.0, ends_in)

    def _wait(self, current: int, previous: int, ends_in: float) -> float:
        """Return the seconds until one more request is allowed, if no other request arrives."""
        free = self.limit - 1 - current
        if previous > 0 and free >= 0:
            return max(0.0, ends_in - free * self.seconds / previous)
        # This window is full by itself: wait for its end, and until enough of it has passed then.
        return ends_in + max(0.0, self.seconds * (1 - (self.limit - 1) / max(1, current)))


Rule: TypeAlias = TokenBucket | Window
