"""A cache of results. The key of a result includes everything from which it is computed.

A result never becomes invalid, because another input has another key. `grow_old` drops the results
that were not used since the last call of `grow_old`. Functions use the cache with the decorators
`memo` and `memo_by`. `Recent` is for results that come from elsewhere, such as a file or a child
process.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, ParamSpec, TypeVar

K = TypeVar("K")
V = TypeVar("V")
P = ParamSpec("P")
R = TypeVar("R")

_memories: list[Recent[Any, Any]] = []
_MOST = 20_000  # most results of one function; twice as many can be in memory


class Recent(Generic[K, V]):
    """Values by key that `grow_old` drops when they are no longer used."""

    def __init__(self, most: int = 0) -> None:
        self._most = most or _MOST
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._later: list[tuple[Callable[[], K], V]] = []
        _memories.append(self)

    def __bool__(self) -> bool:
        """Return whether there is any value."""
        return bool(self._young or self._old or self._later)

    def get(self, key: K) -> V | None:
        """Return a value and mark it as used."""
        self._settle()
        found = self._young.get(key)
        if found is None and key in self._old:
            found = self._old[key]
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Store a value."""
        self._young[key] = value
        if len(self._young) > self._most:
            self.grow_old()

    def put_later(self, key: Callable[[], K], value: V) -> None:
        """Store a value. Its key is computed at the next look-up, which may never come."""
        self._later.append((key, value))

    def _settle(self) -> None:
        if self._later:
            later, self._later = self._later, []
            for key, value in later:
                self.put(key(), value)

    def drop(self, key: K) -> None:
        """Drop a value."""
        self._settle()
        self._young.pop(key, None)
        self._old.pop(key, None)

    def grow_old(self) -> None:
        """Drop values that were not used since the last call."""
        self._settle()
        self._young, self._old = {}, self._young

    def clear(self) -> None:
        """Drop all values."""
        self._young, self._old, self._later = {}, {}, []


class Memo(Generic[P, R]):
    """A function that caches its results by a key of its arguments."""

    def __init__(self, function: Callable[P, R], key: Callable[P, Hashable]) -> None:
        self._function = function
        self._key = key
        self._answers: Recent[Hashable, tuple[R]] = Recent()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the cached result, or call the function."""
        key = self._key(*args, **kwargs)
        found = self._answers.get(key)
        if found is None:
            found = (self._function(*args, **kwargs),)
            self._answers.put(key, found)
        return found[0]

    def known(self, *args: P.args, **kwargs: P.kwargs) -> tuple[R] | None:
        """Return the cached result in a tuple, or None without one."""
        return self._answers.get(self._key(*args, **kwargs)) if self._answers else None

    def compute(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the function's result, which is not cached."""
        return self._function(*args, **kwargs)

    def learn(self, answer: R, *args: P.args, **kwargs: P.kwargs) -> None:
        """Cache a result of `compute`, perhaps from another process."""
        self._answers.put_later(lambda: self._key(*args, **kwargs), (answer,))


def memo(function: Callable[P, R]) -> Memo[P, R]:
    """Cache the results of a function by its arguments, which must be hashable."""
    return Memo(function, lambda *args, **kwargs: (*args, *kwargs.items()))


def memo_by(key: Callable[P, Hashable]) -> Callable[[Callable[P, R]], Memo[P, R]]:
    """Cache results by `key`, which must include everything that the function reads."""
    return lambda function: Memo(function, key)


def forget_all() -> None:
    """Clear every cache, as in a new process."""
    for memory in _memories:
        memory.clear()


def grow_old() -> None:
    """Drop values that were not used since the last call.

    A long-running process calls this regularly. Otherwise, each text that a user typed would stay
    in memory until the cache is full.
    """
    for memory in _memories:
        memory.grow_old()
