"""Run work in threads, a limited number at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from lib.resilience import Bulkhead

T = TypeVar("T")


class Threads:
    """Run CPU-bound work. If more than `queue` calls wait, raise SERVICE_UNAVAILABLE."""

    def __init__(self, name: str, *, limit: int, queue: int, wait_seconds: float) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix=name)
        self._bulkhead = Bulkhead(name, limit=limit, queue=queue, wait_seconds=wait_seconds)

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work`, or raise its exception."""
        async with self._bulkhead.slot():
            # Shielded: a thread cannot be stopped, so its place is not given away before it ends.
            running = asyncio.get_running_loop().run_in_executor(self._pool, work)
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                await asyncio.wait((running,))
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
