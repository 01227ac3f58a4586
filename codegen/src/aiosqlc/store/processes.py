"""Divide work among forked processes to use all cores.

The pool is that of `concurrent.futures`. A child process inherits its parent's data and returns
only its result. Nothing is shared after the fork: a child opens its own connections.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any, BinaryIO, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def shares(items: Sequence[T], fewest: int) -> list[Sequence[T]]:
    """Split items into one run per core, but not shorter than `fewest`.

    There is only one run if this process cannot be forked because another thread could hold a lock.
    """
    alone = not hasattr(os, "fork") or threading.active_count() > 1
    count = 1 if alone else max(1, min(_cores(), len(items) // fewest))
    cuts = [len(items) * number // count for number in range(count + 1)]
    return [items[start:end] for start, end in pairwise(cuts)]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    here: Callable[[Sequence[T]], R],
    elsewhere: Callable[[Sequence[T]], R],
    runs: Sequence[Sequence[T]],
) -> list[R]:
    """Return the results of all runs: the first is computed here, the others in children.

    A result contains the items themselves. If a child fails, its run is computed here.
    """
    first, *others = runs
    if not others:
        return [here(first)]
    # Imported late, because most runs of the compiler use one process.
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    _inherited[:] = [(elsewhere, run) for run in others]
    try:
        with ProcessPoolExecutor(len(others), get_context("fork"), _interruptible) as pool:
            children = [pool.submit(_answer, number) for number in range(len(others))]
            answers = [here(first)]
            for child, run in zip(children, others, strict=True):
                try:
                    answers.append(_Receiver(io.BytesIO(child.result()), run).load())
                except Exception:  # noqa: BLE001 - any exception, which the serial run raises again if it is permanent
                    answers.append(here(run))
            return answers
    finally:
        _inherited.clear()


# Set before the fork, so that functions and items are inherited without pickling.
_inherited: list[tuple[Callable[[Any], object], Sequence[Any]]] = []


def _interruptible() -> None:
    """End at Ctrl-C without a traceback: the parent reports the interruption."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _answer(number: int) -> bytes:
    """Compute one run, in a child."""
    work, run = _inherited[number]
    stream = io.BytesIO()
    _send(work(run), run, stream)
    return stream.getvalue()


def _given(place: int) -> object:
    """Refer to an item that both processes have; `_Receiver` resolves it."""
    raise pickle.UnpicklingError(str(place))


def _send(answer: object, run: Sequence[object], stream: BinaryIO) -> None:
    places = {id(item): place for place, item in enumerate(run)}

    def reduced(item: object) -> tuple[Callable[..., object], tuple[object, ...]]:
        place = places.get(id(item))
        return (_given, (place,)) if place is not None else _by_fields(item)

    pickler = pickle.Pickler(stream, pickle.HIGHEST_PROTOCOL)
    # The default pickling of frozen values with slots is several times slower.
    pickler.dispatch_table = _Reductions({type(item): reduced for item in run})
    pickler.dump(answer)


def _by_fields(item: Any) -> tuple[Callable[..., object], tuple[object, ...]]:
    kind = type(item)
    return kind, tuple([getattr(item, name) for name in kind.__match_args__])


class _Reductions(dict[type, Callable[[Any], Any]]):
    """Serialize values; dataclasses by the arguments of their constructors."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        if not is_dataclass(kind) or not all(field.init for field in fields(kind)):
            raise KeyError(kind)
        self[kind] = _by_fields
        return _by_fields


class _Receiver(pickle.Unpickler):
    """Read a result, with references replaced by the items."""

    def __init__(self, stream: BinaryIO, run: Sequence[object]) -> None:
        super().__init__(stream)
        self._run = run

    def find_class(self, module: str, name: str) -> Any:
        """Resolve a reference: to one of our items, or to a class by its name."""
        known: Mapping[str, Any] = {"_given": self._run.__getitem__}
        return known.get(name) or super().find_class(module, name)
