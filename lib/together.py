"""Run several tasks. Run tasks together; the first failure cancels the other tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Yield a `TaskGroup` that raises the first exception itself and cancels the other tasks.

    A group of exceptions would be no error that the doors know: the caller would be told that it
    is our fault (500) where, for instance, a database is away (503).
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
