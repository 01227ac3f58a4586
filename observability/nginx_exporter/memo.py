"""Cache the results of a function in a table whose size clients cannot increase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_LONGEST: Final = 256


class Memo(dict[K, V]):
    """A dictionary in which `memo[key]` is `ask(key)`, cached for recent keys.

    `functools.lru_cache` takes twice the time, because it maintains an order and removes single
    keys. A full Memo removes all of its keys.
    """

    def __init__(self, ask: Callable[[K], V], most: int = 16_384) -> None:
        """Create a cache; `most` is the maximum number of keys. Long strings are not cached."""
        super().__init__()
        self._ask = ask
        self._most = most

    def __missing__(self, key: K) -> V:
        """Compute the value of a missing key, and store it."""
        value = self._ask(key)
        if len(self) >= self._most:
            self.clear()
        if not isinstance(key, str) or len(key) <= _LONGEST:
            self[key] = value
        return value
