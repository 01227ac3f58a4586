"""Run several tasks together; the first failure cancels the other tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Yield a `TaskGroup` that raises the first exception itself and cancels the other tasks.

    The HTTP and gRPC layers do not know exception groups. Without this function, the caller would
    get an internal error (500) if, for example, a database is unavailable (503).
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
