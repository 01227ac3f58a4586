"""Deadline: a request that takes too long is cancelled and answered."""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lib import context


def deadline(seconds: float) -> Middleware:
    """Return a middleware that gives each request `seconds`; calls to others see what is left.

    The time-out reaches recovery as `TimeoutError` and the caller as DEADLINE_EXCEEDED.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        until = asyncio.get_running_loop().time() + seconds
        context.deadline.set(until)
        async with asyncio.timeout_at(until):
            return await handler(request)

    return middleware
