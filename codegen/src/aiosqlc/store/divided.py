"""Call memoized functions for many inputs, in several processes if that is faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from aiosqlc.store.memo import Memo
from aiosqlc.store.processes import shares, spread

Call = tuple[Memo[..., Any], tuple[Any, ...]]

_FEWEST = 250  # fewest results for which a process pays off


def answers(calls: Sequence[Call], meanwhile: Callable[[], object] | None = None) -> list[Any]:
    """Return the results of the calls in order; those without a cached result are divided.

    The results of child processes are cached in this process, so they must be serializable. This
    process first calls `meanwhile` if it is given, while the child processes begin.
    """
    known = [ask.known(*args) for ask, args in calls]
    new = [call for call, found in zip(calls, known, strict=True) if found is None]

    def each(run: Sequence[Call]) -> list[Any]:
        return [ask.compute(*args) for ask, args in run]

    runs = spread(each, lambda: each, shares(new, _FEWEST), meanwhile)
    for (ask, args), answer in zip(new, chain.from_iterable(runs), strict=True):
        ask.learn(answer, *args)
    computed = chain.from_iterable(runs)
    return [found[0] if found else next(computed) for found in known]
