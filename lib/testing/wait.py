"""Waiting in tests: ask again until it is so, with a deadline; never a fixed sleep."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PAUSE = 0.02  # seconds


async def eventually(check: Callable[[], bool | Awaitable[bool]], *, within: float = 10.0) -> None:
    """Return when `check` says True. Raises TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while True:
            said = check()
            if await said if inspect.isawaitable(said) else said:
                return
            await asyncio.sleep(PAUSE)
