"""Limits within one process: a bounded table that drops the least recently used key."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib.limits.rules import Decision, Rule


@dataclass(slots=True)
class _Entry:
    """The usage of a key. After `idle_at` it has no effect any more."""

    state: Any
    idle_at: float = 0.0


class MemoryStore:
    """Store the usage of at most `max_keys` keys. Idle keys are dropped along the way.

    A key pushed out by a flood of others starts afresh: that is the price of a bound on memory.
    """

    def __init__(self, *, max_keys: int = 100_000, clock: Callable[[], float] = time.time) -> None:
        self._max_keys = max_keys
        self._clock = clock
        # Least recently used first.
        self._entries: OrderedDict[tuple[Rule, str], _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, rule: Rule, key: str) -> Decision:
        """Count one request of `key` under `rule`."""
        now = self._clock()
        place = (rule, key)
        entry = self._entries.get(place)
        if entry is None:
            entry = self._entries[place] = _Entry(rule.unused(now))
        else:
            self._entries.move_to_end(place)
        entry.state, decision = rule.take(entry.state, now)
        entry.idle_at = now + rule.idle_seconds
        self._evict(now)
        return decision

    def _evict(self, now: float) -> None:
        """Drop at most two old keys, which is more than are added, so that the table shrinks."""
        for _ in range(2):
            place, oldest = next(iter(self._entries.items()))
            if len(self._entries) <= self._max_keys and oldest.idle_at > now:
                return
            del self._entries[place]
            if not self._entries:
                return
