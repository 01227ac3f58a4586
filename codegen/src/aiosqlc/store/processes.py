"""Divide work among forked processes to use all cores.

A child process inherits its parent's data and returns only its results. After the fork, the
processes share only a queue with the numbers of the runs (parts of the work) that no process has
taken yet. A child opens its own connections.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, BinaryIO, TypeVar

T = TypeVar("T")
R = TypeVar("R")
Work = Callable[[Sequence[T]], R]

_NUMBER = 4  # bytes; pipes pass so few at once, so each number reaches one process
_SIZE = 8  # bytes before each result
_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)
_MOST_RUNS = 1000  # their numbers fit into a pipe before it is read


def shares(items: Sequence[T], fewest: int) -> list[Sequence[T]]:
    """Split items into runs for all cores. Later runs are shorter; the minimum is `fewest` items.

    Short runs at the end let all processes finish at about the same time. There is only one run if
    this process cannot be forked because another thread could hold a lock.
    """
    alone = not hasattr(os, "fork") or threading.active_count() > 1
    count = 1 if alone else min(_cores(), len(items) // fewest)
    if count < 2:
        return [items]
    fewest = max(fewest, -(-len(items) // _MOST_RUNS))
    runs: list[Sequence[T]] = []
    start = 0
    while start < len(items):
        rest = len(items) - start
        size = max(fewest, rest // (2 * count))
        end = start + size if rest >= size + fewest else len(items)
        runs.append(items[start:end])
        start = end
    return runs


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    here: Work[T, R],
    elsewhere: Callable[[], Work[T, R]],
    runs: Sequence[Sequence[T]],
    meanwhile: Callable[[], object] | None = None,
) -> list[R]:
    """Return the results of all runs, in order.

    Each process starts with one of the first runs, and then takes the next run from the queue. This
    process first calls `meanwhile` if it is given, and then `here` for each of its runs. A child
    calls `elsewhere` once, and the returned function for each run. Items in a child's result are
    replaced by this process's own objects. If a child fails, its runs are computed here.
    """
    own = [] if meanwhile else [0]
    others = range(len(own), min(_cores() - 1, len(runs) - len(own)) + len(own))
    queue = _filled(range(others.stop, len(runs))) if len(runs) > 1 else None
    if queue is None:
        if meanwhile:
            meanwhile()
        return [here(run) for run in runs]
    items = [item for run in runs for item in run]
    children: list[_Child] = []
    found: dict[int, R] = {}
    try:
        # If the system allows no more processes or files, the work is done here.
        with contextlib.suppress(OSError), _uninterrupted():
            for first in others:
                children.append(_forked(elsewhere, runs, first, queue))  # noqa: PERF401 - an error keeps the earlier ones
        if meanwhile:
            meanwhile()
        for number in _taken(own, queue):
            found[number] = here(runs[number])
            for child in children:
                found.update(child.arrived(items))
        for child in children:
            child.wait()
            found.update(child.arrived(items))
    finally:
        os.close(queue)
        for child in children:
            child.end()
    return [found[at] if at in found else here(run) for at, run in enumerate(runs)]


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C in the block, because a new child would run the parent's exception handlers."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _filled(numbers: Sequence[int]) -> int | None:
    """Return a pipe from which each process reads the number of its next run, or None."""
    try:
        queue, entrance = os.pipe()
    except OSError:
        return None
    os.write(entrance, b"".join(number.to_bytes(_NUMBER, "big") for number in numbers))
    os.close(entrance)  # so that the queue ends
    return queue


def _taken(first: Sequence[int], queue: int) -> Iterator[int]:
    """Yield the numbers of the runs for this process."""
    yield from first
    while number := os.read(queue, _NUMBER):
        yield int.from_bytes(number, "big")


class _Child:
    """A forked process, and the file to which it appends its results."""

    def __init__(self, process: int, results: IO[bytes]) -> None:
        self._process = process
        self._results = results
        self._read = 0
        self._ended = False

    def arrived(self, items: Sequence[object]) -> Iterator[tuple[int, Any]]:
        """Yield the new results with the numbers of their runs; skip unreadable results."""
        file = self._results.fileno()
        while (size := os.pread(file, _SIZE, self._read)) and len(size) == _SIZE:
            length = int.from_bytes(size, "big")
            answer = os.pread(file, length, self._read + _SIZE)
            if len(answer) < length:  # the child is writing
                return
            self._read += _SIZE + length
            with contextlib.suppress(Exception):  # the serial run raises it if it is permanent
                yield _Receiver(io.BytesIO(answer), items).load()

    def wait(self) -> None:
        """Wait until the process ends."""
        # The system forgets an ended child if this process inherited that it ignores SIGCHLD.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)
        self._ended = True

    def end(self) -> None:
        """Kill the process if it has not ended, because its results are not needed."""
        self._results.close()
        if not self._ended:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):  # it has just ended
                os.kill(self._process, signal.SIGKILL)
                self.wait()


def _forked(
    elsewhere: Callable[[], Work[T, R]], runs: Sequence[Sequence[T]], first: int, queue: int
) -> _Child:
    """Start a child, which reports no failure or interruption itself; the parent does."""
    results = tempfile.TemporaryFile()  # noqa: SIM115 - `_Child` closes it
    process = os.fork()
    if process:
        return _Child(process, results)
    try:
        for one in _INTERRUPTIONS:
            signal.signal(one, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTIONS)
        items = [item for run in runs for item in run]
        work = elsewhere()
        for number in _taken([first], queue):
            answer = _sendable((number, work(runs[number])), items)
            results.write(len(answer).to_bytes(_SIZE, "big") + answer)
            results.flush()
    finally:
        os._exit(0)  # in any case: the parent's files, locks and servers are not the child's


def _given(place: int) -> object:
    """Stand for an item that both processes have; `_Receiver` replaces this call by the item."""
    raise pickle.UnpicklingError(str(place))


def _sendable(answer: object, items: Sequence[object]) -> bytes:
    places = {id(item): place for place, item in enumerate(items)}

    def reduced(item: object) -> tuple[Any, ...]:
        place = places.get(id(item))
        if place is not None:
            return _given, (place,)
        return item.__reduce__()  # type: ignore[return-value]  # a Struct's is never a text

    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {type(item): reduced for item in items}
    pickler.dump(answer)
    return stream.getvalue()


class _Receiver(pickle.Unpickler):
    """Reads a result, and replaces references by the items."""

    def __init__(self, stream: BinaryIO, items: Sequence[object]) -> None:
        super().__init__(stream)
        self._items = items

    def find_class(self, module: str, name: str) -> Any:
        """Return the class that a result names; for `_given`, return the access to the items."""
        known: Mapping[str, Any] = {"_given": self._items.__getitem__}
        return known.get(name) or super().find_class(module, name)
