"""A document of an identity provider, fetched on demand and cached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from lib import context

T = TypeVar("T")

# Not more often than that for what a stranger may have made up.
_REFETCH_SECONDS: Final = 30.0


class Kept(Generic[T]):
    """A cached document. Concurrent callers share one fetch.

    If the fetch fails, every caller gets the exception, and the exception is not cached.
    """

    def __init__(self, fetch: Callable[[], Awaitable[T]], *, fresh_seconds: float) -> None:
        """Create a cache. A document is fresh for `fresh_seconds`."""
        self._fetch = fetch
        self._fresh_seconds = fresh_seconds
        self._value: T | None = None
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return a fresh document, cached or fetched. Raises the exceptions of the fetch."""
        if self._value is not None and time.monotonic() - self._fetched_at < self._fresh_seconds:
            return self._value
        return await self._shared()

    async def newer(self) -> T:
        """Fetch the document again, or return the cached document if the last fetch was recent.

        Raises the exceptions of the fetch.
        """
        if self._value is not None and time.monotonic() - self._tried_at < _REFETCH_SECONDS:
            return self._value
        return await self._shared()

    async def _shared(self) -> T:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._load(), name="identity-provider")
            self._fetching.add_done_callback(_seen)
        # Shielded: a caller that leaves must not take the document from the others.
        return await asyncio.shield(self._fetching)

    async def _load(self) -> T:
        # For all callers: the first may have less time than others.
        context.deadline.set(None)
        self._tried_at = time.monotonic()
        try:
            self._value = await self._fetch()
            self._fetched_at = time.monotonic()
            return self._value
        finally:
            self._fetching = None


def _seen(task: asyncio.Task[T]) -> None:
    """Read the exception of a fetch for which no caller waits, because asyncio would log it."""
    if not task.cancelled():
        task.exception()
