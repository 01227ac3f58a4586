"""Deadline: a request that takes too long is cancelled and answered."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lib import context
from lib.http.route import is_long_lived


def deadline(seconds: float) -> Middleware:
    """Return a middleware that gives each request `seconds`; calls to others see what is left.

    The time-out reaches recovery as `TimeoutError` and the caller as DEADLINE_EXCEEDED.
    """
    queue = _Queue(seconds)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_long_lived(request):
            return await handler(request)
        task = queue.enter()
        try:
            return await handler(request)
        except asyncio.CancelledError:
            if queue.has_expired(task):
                raise TimeoutError from None
            raise
        finally:
            queue.leave(task)

    return middleware


class _Queue:
    """The running requests, next to expire first, with one timer for all of them.

    All have the same limit, so the order of arrival is the order of expiry; a timer per request
    (`asyncio.timeout`) would cost more than the rest of the chain.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[asyncio.Task[Any], float] = {}
        self._expired: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def enter(self) -> asyncio.Task[Any]:
        """Start the present task's time."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a request is served by a task, always
        until = loop.time() + self._seconds
        context.deadline.set(until)
        self._running[task] = until
        if self._timer is None:
            self._timer = loop.call_at(until, self._expire, loop)
        return task

    def leave(self, task: asyncio.Task[Any]) -> None:
        """Stop the task's time."""
        self._running.pop(task, None)

    def has_expired(self, task: asyncio.Task[Any]) -> bool:
        """Say whether the deadline cancelled the task, and take that cancellation back."""
        if task not in self._expired:
            return False
        self._expired.remove(task)
        # What is left of it came from elsewhere: the client is gone or the process ends.
        return task.uncancel() == 0

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._timer = None
        while self._running:
            task, until = next(iter(self._running.items()))
            if until > now:
                self._timer = loop.call_at(until, self._expire, loop)
                return
            del self._running[task]
            self._expired.add(task)
            task.cancel()
