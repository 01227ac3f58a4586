"""Limits of one process: a bounded table, the least recently seen key goes first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from lib.limits.rules import Counted, Decision, Rule, TokenBucket

_NEW: Final = (None, 0.0)


class MemoryStore:
    """Keeps what each key has used. Never more than `max_keys`; idle keys are dropped on the way.

    A key pushed out by a flood of others starts afresh: that is the price of a bound on memory.
    """

    def __init__(self, *, max_keys: int = 100_000, clock: Callable[[], float] = time.time) -> None:
        self._max_keys = max_keys
        self._clock = clock
        # (rule, key) → (state, idle from then on), least recently used first.
        self._states: OrderedDict[tuple[Rule, str], tuple[float | Counted, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    def take(self, rule: Rule, key: str) -> Decision:
        """Count one request of `key` under `rule`."""
        now = self._clock()
        place = (rule, key)
        state, _ = self._states.get(place, _NEW)
        after: float | Counted
        if isinstance(rule, TokenBucket):
            after, decision = rule.take(state if isinstance(state, float) else now, now)
        else:
            after, decision = rule.take(state if isinstance(state, Counted) else Counted(), now)
        self._states[place] = (after, now + rule.idle_seconds)
        self._states.move_to_end(place)
        self._evict(now)
        return decision

    def _evict(self, now: float) -> None:
        """Drop at most two old keys: more than one is added at a time, so the table shrinks."""
        for _ in range(2):
            oldest = next(iter(self._states))
            if len(self._states) <= self._max_keys and self._states[oldest][1] > now:
                return
            del self._states[oldest]
            if not self._states:
                return
