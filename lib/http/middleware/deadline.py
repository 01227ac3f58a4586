"""Deadline: cancel a request that takes too long, and respond with an error."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from multidict import istr

from lib import context
from lib.errors import AppError, Code
from lib.http.middleware.exchange import Exchange
from lib.resilience.deadline import HEADER, read_header

_HEADER: Final = istr(HEADER)


class Deadline:
    """Give each request the same time limit, with one timer for all of them.

    All limits are equal, so requests expire in the order of their arrival. A timer per request
    (`asyncio.timeout`) would cost more than all other middleware. Only a request whose caller sets
    a shorter limit (`X-Deadline-Ms`) has its own timer. Calls for a request are limited by the time
    that is left for the request. `in_progress` is the number of requests with a time limit.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # The running requests, next to expire first.
        self._running: dict[asyncio.Task[Any], float] = {}
        # Those whose callers wait less long.
        self._hurried: dict[asyncio.Task[Any], asyncio.TimerHandle] = {}
        self._expired: dict[asyncio.Task[Any], Exception] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.in_progress = 0

    def enter(self, exchange: Exchange) -> asyncio.Task[Any]:
        """Start the time limit of the current task, which serves the request.

        Raises:
            AppError: DEADLINE_EXCEEDED if the caller no longer waits.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a request is served by a task, always
        now, seconds = loop.time(), self._seconds
        if _HEADER in exchange.headers:
            seconds = read_header(exchange.headers, limit=seconds)
            if seconds <= 0:
                raise _late()
            if seconds < self._seconds:
                self._hurried[task] = loop.call_at(now + seconds, self._hurry, task)
        context.deadline.set(now + seconds)
        self.in_progress += 1
        self._running[task] = until = now + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(until, self._expire, loop)
        return task

    def leave(self, task: asyncio.Task[Any]) -> None:
        """Stop the time limit of the task."""
        self.in_progress -= 1
        self._running.pop(task, None)
        self._expired.pop(task, None)
        if self._hurried and (timer := self._hurried.pop(task, None)) is not None:
            timer.cancel()

    def expired(self, task: asyncio.Task[Any]) -> Exception | None:
        """Return the error if the deadline cancelled the task, and clear that cancellation."""
        error = self._expired.pop(task, None)
        # What is left of it came from elsewhere: the client is gone or the process ends.
        return error if error is not None and task.uncancel() == 0 else None

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._timer = None
        while self._running:
            task, until = next(iter(self._running.items()))
            if until > now:
                self._timer = loop.call_at(until, self._expire, loop)
                return
            del self._running[task]
            self._cancel(task, TimeoutError())

    def _hurry(self, task: asyncio.Task[Any]) -> None:
        self._cancel(task, _late())

    def _cancel(self, task: asyncio.Task[Any], error: Exception) -> None:
        if task in self._expired:
            task.uncancel()  # the task has continued: the second cancellation replaces the first
        self._expired[task] = error
        task.cancel()


def _late() -> AppError:
    return AppError(Code.DEADLINE_EXCEEDED, "the request took too long")
