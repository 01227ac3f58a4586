"""A bulkhead: limit how many calls to one slow upstream can run in the process at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lib.errors import AppError, Code
from lib.resilience.deadline import remaining


class Bulkhead:
    """Run at most `limit` calls at a time; up to `queue` more wait, at most `wait_seconds`."""

    def __init__(
        self, name: str, *, limit: int = 50, queue: int = 50, wait_seconds: float = 1.0
    ) -> None:
        self._name = name
        self._slots = asyncio.Semaphore(limit)
        self._queue = queue
        self._wait_seconds = wait_seconds
        self._waiting = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the `limit` slots while the call in the block runs.

        Raises:
            AppError: SERVICE_UNAVAILABLE, at once if the queue is full, else after the wait.
        """
        if not self._slots.locked():
            await self._slots.acquire()
        else:
            await self._wait()
        try:
            yield
        finally:
            self._slots.release()

    async def _wait(self) -> None:
        if self._waiting >= self._queue:
            raise self._full()
        self._waiting += 1
        try:
            async with asyncio.timeout(remaining(self._wait_seconds)):
                await self._slots.acquire()
        except TimeoutError:
            raise self._full() from None
        finally:
            self._waiting -= 1

    def _full(self) -> AppError:
        return AppError(
            Code.SERVICE_UNAVAILABLE,
            f"too many calls to {self._name} are in progress",
            headers={"Retry-After": "1"},
        )
