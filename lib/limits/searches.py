"""Limit concurrent text searches, which no index supports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

from lib.resilience import Bulkhead

AT_A_TIME: Final = 2  # of a process: the rest of its connections is for what has an index
_WAITING: Final = 20
_PLACES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Bulkhead]] = WeakKeyDictionary()


@asynccontextmanager
async def searching(pattern: str | None) -> AsyncIterator[None]:
    """Hold a search slot while the block runs. Without a `pattern`, hold no slot.

    Raises:
        AppError: SERVICE_UNAVAILABLE with `Retry-After` if no slot becomes free within a second.
    """
    if pattern is None:
        yield
        return
    loop = asyncio.get_running_loop()
    places = _PLACES.setdefault(loop, Bulkhead("search", limit=AT_A_TIME, queue=_WAITING))
    async with places.slot():
        yield
