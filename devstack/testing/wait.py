"""Wait in tests: check a condition repeatedly until a deadline, without a fixed sleep."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PAUSE = 0.02  # seconds
# Longer than anything takes on a machine that is busy otherwise; who waits in vain waits once.
DEADLINE = 45.0


async def eventually(
    check: Callable[[], bool | Awaitable[bool]], *, within: float = DEADLINE
) -> None:
    """Return when `check` returns True. Raises TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while True:
            said = check()
            if await said if inspect.isawaitable(said) else said:
                return
            await asyncio.sleep(PAUSE)
