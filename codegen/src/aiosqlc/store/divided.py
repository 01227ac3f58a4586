"""Call a memoized function for many inputs, in several processes if that is faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from aiosqlc.store.memo import Memo
from aiosqlc.store.processes import shares, spread

R = TypeVar("R")
Arguments = tuple[Any, ...]

_FEWEST = 250  # fewest results for which a process pays off


def answers(ask: Memo[..., R], asked: Sequence[Arguments]) -> list[R]:
    """Return the results in order. Inputs that are not cached are divided among processes.

    The results of child processes are cached in this process, so they must be serializable.
    """
    known = [ask.known(*args) for args in asked]
    new = [args for args, found in zip(asked, known, strict=True) if found is None]
    runs = shares(new, _FEWEST)
    if len(runs) > 1:

        def each(run: Sequence[Arguments]) -> list[R]:
            return [ask(*args) for args in run]

        for run, found in zip(runs, spread(each, lambda: each, runs), strict=True):
            for args, answer in zip(run, found, strict=True):
                ask.learn(answer, *args)
    return [found[0] if found else ask(*args) for args, found in zip(asked, known, strict=True)]
