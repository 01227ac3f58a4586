"""Call a memoized function for many inputs, in several processes if that is faster."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeVar

from aiosqlc.store.memo import Memo
from aiosqlc.store.processes import shares, spread

R = TypeVar("R")
Arguments = tuple[Any, ...]

_FEWEST = 250  # fewest results for which a process pays off


def answers(ask: Memo[..., R], asked: Sequence[Arguments]) -> list[R]:
    """Return the results in order. Inputs without a cached result are divided among processes.

    The results of child processes are cached in this process, so they must be serializable.
    """
    known = [ask.known(*args) for args in asked]
    new = [args for args, found in zip(asked, known, strict=True) if found is None]

    def each(run: Sequence[Arguments]) -> list[R]:
        return [ask.compute(*args) for args in run]

    runs = spread(each, lambda: each, shares(new, _FEWEST))
    for args, answer in zip(new, chain.from_iterable(runs), strict=True):
        ask.learn(answer, *args)
    computed = chain.from_iterable(runs)
    return [found[0] if found else next(computed) for found in known]
