"""Limits within one process: a bounded table that drops the least recently used key."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from lib.limits.rules import Decision, Rule

_LOOK_SECONDS: Final = 1.0


class _Entry:
    """The request counts of a key, and the time of its last use."""

    __slots__ = ("state", "used_at")

    def __init__(self, state: Any) -> None:
        self.state = state
        self.used_at = 0.0


class MemoryStore:
    """Store the request counts of at most `max_keys` keys. Each call drops some idle keys.

    If too many other keys replace a key, its count starts again. This is the cost of a bounded
    memory.
    """

    def __init__(self, *, max_keys: int = 100_000, clock: Callable[[], float] = time.time) -> None:
        self._max_keys = max_keys
        self._clock = clock
        # Least recently used first.
        self._entries: OrderedDict[tuple[Rule, str], _Entry] = OrderedDict()
        self._looks_at = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, rule: Rule, key: str) -> Decision:
        """Count one request of `key` under `rule`."""
        now = self._clock()
        place = (rule, key)
        entries = self._entries
        entry = entries.get(place)
        if entry is None:
            entry = entries[place] = _Entry(rule.unused(now))
        else:
            entries.move_to_end(place)
        entry.state, decision = rule.take(entry.state, now)
        entry.used_at = now
        # Looking at the oldest keys for each request would cost a third of it.
        if now >= self._looks_at or len(entries) > self._max_keys:
            self._evict(now)
        return decision

    def _evict(self, now: float) -> None:
        """Drop at most two old keys. A call of `take` adds at most one, so the table shrinks."""
        for _ in range(2):
            place, oldest = next(iter(self._entries.items()))
            idle_at = oldest.used_at + place[0].idle_seconds
            if len(self._entries) <= self._max_keys and idle_at > now:
                # Others may become the oldest before then, with rules that end sooner.
                self._looks_at = min(idle_at, now + _LOOK_SECONDS)
                return
            del self._entries[place]
            if not self._entries:
                return
