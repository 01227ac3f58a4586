"""Deadline: cancel a request that takes too long, and respond."""

from __future__ import annotations

import asyncio
from typing import Any

from lib import context


class Deadline:
    """Give each request the same time limit, with one timer for all of them.

    All limits are equal, so requests expire in the order of their arrival. A timer per request
    (`asyncio.timeout`) would cost more than all other middleware. Calls for a request are limited
    by the time that is left for the request.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # The running requests, next to expire first.
        self._running: dict[asyncio.Task[Any], float] = {}
        self._expired: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def enter(self) -> asyncio.Task[Any]:
        """Start the time limit of the current task."""
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
        """Stop the time limit of the task."""
        self._running.pop(task, None)
        self._expired.discard(task)

    def has_expired(self, task: asyncio.Task[Any]) -> bool:
        """Return whether the deadline cancelled the task, and clear that cancellation."""
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
