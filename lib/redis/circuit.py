"""A circuit breaker for Redis: after a failure, Redis is not called until it responds again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from lib.errors import AppError, Code
from lib.log import get_logger
from lib.redis.client import ping

log = get_logger(__name__)

_PROBE_SECONDS: Final = 0.5


class RedisCircuit:
    """A circuit breaker for optional uses of Redis in a request.

    The circuit opens at the first failure. If requests tested an open circuit, each test could wait
    for the whole time-out. So a ping in the background detects that Redis is available again.
    """

    def __init__(self, redis: Redis, name: str, *, probe_seconds: float = _PROBE_SECONDS) -> None:
        self._redis = redis
        self._name = name
        self._probe_seconds = probe_seconds
        self._next: asyncio.TimerHandle | None = None
        self._probe: asyncio.Task[None] | None = None
        self._is_closed_for_good = False

    @property
    def is_open(self) -> bool:
        """Return whether the circuit is open, so that Redis is not called."""
        return self._next is not None

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Guard the call of Redis in the block: a failure opens the circuit.

        Raises:
            AppError: CIRCUIT_OPEN while the circuit is open.
        """
        if self._next is not None:
            raise AppError(
                Code.CIRCUIT_OPEN, f"{self._name} is not called while Redis is unavailable"
            )
        try:
            yield
        except (RedisError, OSError) as error:
            if self._next is None:
                log.warning("circuit_opened", circuit=self._name, error=error)
                self._probe_later()
            raise

    async def aclose(self) -> None:
        """Stop the pings that check whether Redis is available again."""
        self._is_closed_for_good = True
        if self._next is not None:
            self._next.cancel()
        if self._probe is not None:
            self._probe.cancel()
            with suppress(asyncio.CancelledError):
                await self._probe

    def _probe_later(self) -> None:
        if not self._is_closed_for_good:
            loop = asyncio.get_running_loop()
            self._next = loop.call_later(self._probe_seconds, self._start_probe)

    def _start_probe(self) -> None:
        self._probe = asyncio.create_task(self._ask(), name=f"{self._name}-probe")

    async def _ask(self) -> None:
        try:
            await ping(self._redis)
        except (RedisError, OSError, AppError):
            self._probe_later()
        else:
            self._next = None
            log.info("circuit_closed", circuit=self._name)
