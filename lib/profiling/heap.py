"""Memory allocations by source line, from tracemalloc."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Final

import msgspec

from lib.errors import AppError, Code

_FRAMES: Final = 10
_running = asyncio.Lock()


class Allocation(msgspec.Struct, frozen=True):
    """A source line, and the growth of the memory that it has allocated. Sizes are in bytes."""

    trace: list[str]
    size_difference: int
    count_difference: int
    size: int


class Heap(msgspec.Struct, frozen=True):
    """Allocations that grew during the measurement, largest first."""

    seconds: float
    traced_bytes: int
    peak_bytes: int
    allocations: list[Allocation]


async def watch_heap(seconds: float, *, top: int = 50) -> Heap:
    """Trace allocations for `seconds`.

    Return the source lines that allocated memory which is still in use.

    Tracing slows the process down, so it is active only during this call.

    Raises:
        AppError: CONFLICT if another trace is in progress.
    """
    if _running.locked() or tracemalloc.is_tracing():
        raise AppError(Code.CONFLICT, "another heap measurement is in progress")
    async with _running:
        tracemalloc.start(_FRAMES)
        try:
            before = tracemalloc.take_snapshot()
            await asyncio.sleep(seconds)
            after = tracemalloc.take_snapshot()
            traced, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # Comparing takes seconds for a big heap: not on the event loop.
    grown = await asyncio.to_thread(after.compare_to, before, "traceback")
    return Heap(seconds, traced, peak, [_allocation(entry) for entry in grown[:top]])


def _allocation(entry: tracemalloc.StatisticDiff) -> Allocation:
    trace = [f"{frame.filename}:{frame.lineno}" for frame in entry.traceback]
    return Allocation(trace, entry.size_diff, entry.count_diff, entry.size)
