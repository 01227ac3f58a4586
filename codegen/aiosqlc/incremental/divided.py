"""Asks a function with a memory about many things at once, which is worth several processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from aiosqlc.incremental.memo import KeptBy, Parts
from aiosqlc.processes import shares, spread

R = TypeVar("R")

_FEWEST = 250  # answers that are worth a process of their own


def answers(ask: KeptBy[..., R], asked: Sequence[Parts]) -> list[R]:
    """Return the answers in order; what is not known yet is divided among processes.

    What a child finds is known here afterwards: answers have to be such as can be sent.
    """
    runs = shares([args for args in asked if not ask.knows(args)], _FEWEST)
    if len(runs) > 1:

        def each(run: Sequence[Parts]) -> list[R]:
            return [ask(*args) for args in run]

        for run, found in zip(runs, spread(each, each, runs), strict=True):
            for args, answer in zip(run, found, strict=True):
                ask.learn(args, answer)
    return [ask(*args) for args in asked]
