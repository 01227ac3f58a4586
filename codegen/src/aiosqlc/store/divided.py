"""Call memoized functions for many inputs, in several processes if that is faster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, TypeVar

from aiosqlc.store.memo import Memo
from aiosqlc.store.processes import shares, spread

R = TypeVar("R")
Arguments = tuple[Any, ...]
Call = tuple[Memo[..., Any], Arguments]

_FEWEST = 250  # fewest results for which a process pays off


def call_ahead(calls: Iterable[Call], meanwhile: Callable[[], object] | None = None) -> None:
    """Call memoized functions, so that later calls with the same arguments find cached results.

    The calls without a cached result are divided among processes. The results of child processes
    are cached in this process, so they must be serializable. `meanwhile` is called once, while
    other processes have begun.
    """
    new = [(ask, args) for ask, args in calls if ask.known(*args) is None]

    def each(run: Sequence[Call]) -> list[Any]:
        return [ask.compute(*args) for ask, args in run]

    runs = spread(each, lambda: each, shares(new, _FEWEST), meanwhile)
    for (ask, args), answer in zip(new, chain.from_iterable(runs), strict=True):
        ask.learn(answer, *args)


def answers(ask: Memo[..., R], asked: Sequence[Arguments]) -> list[R]:
    """Return a function's results in order, after `call_ahead` for all inputs."""
    call_ahead([(ask, args) for args in asked])
    return [ask(*args) for args in asked]
