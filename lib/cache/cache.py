"""Cache-aside: read the cache, else load and store. If Redis is down, nothing is cached."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias

from prometheus_client import CollectorRegistry, Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from lib import positions
from lib.cache.store import Found, RedisStore
from lib.errors import AppError
from lib.log import get_logger
from lib.redis import unavailable
from lib.redis.circuit import RedisCircuit

log = get_logger(__name__)

_AWAY: Final = (RedisError, OSError)


class Loaded(NamedTuple):
    """A response.

    If an upstream service did not respond, the response is not `complete` and not cached.
    """

    answer: bytes
    complete: bool = True


Load: TypeAlias = Callable[[], Awaitable[Loaded]]


class Cache:
    """Cache responses by key. Each response has tags, which name the data that it was made from.

    Call `forget(tags)` after a change: responses that were read before the change are then never
    returned again. While Redis is available, a process loads the response of a key only once at a
    time.
    """

    def __init__(
        self,
        redis: Redis | None,
        *,
        prefix: str,
        max_bytes: int = 512 * 1024,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """Cache responses of up to `max_bytes` under Redis keys that begin with `prefix`.

        If `redis` is None, cache nothing.
        """
        self._store = None if redis is None else RedisStore(redis, prefix)
        self._max_bytes = max_bytes
        self._circuit = None if redis is None else RedisCircuit(redis, "redis-cache")
        self._flights: dict[tuple[str, bytes], asyncio.Task[bytes]] = {}
        self._counter = None if registry is None else _counter(registry)

    async def get(self, key: str, *, tags: Sequence[str], seconds: int, load: Load) -> bytes:
        """Return the response under `key`, or the result of `load`, cached for `seconds` (≤ 3600).

        Always pass the same tags for the same key. An exception of `load` is raised and not cached.
        """
        found = await self._look(key, tags)
        if self._store is None or found is None:
            self._count("bypassed")
            return (await load()).answer
        if found.answer is not None:
            self._count("hit")
            return found.answer
        # A load with other marks may have read before the change that this caller knows about.
        flight = (key, found.marks)
        task = self._flights.get(flight)
        if task is None:
            self._count("miss")
            task = asyncio.create_task(self._load(self._store, flight, seconds, load))
            self._flights[flight] = task
            task.add_done_callback(lambda done: self._landed(flight, done))
        else:
            self._count("joined")
        # One who hangs up must not take the answer from the others.
        return await asyncio.shield(task)

    async def forget(self, tags: Sequence[str]) -> None:
        """Invalidate every response with one of these tags.

        Raises:
            AppError: SERVICE_UNAVAILABLE if Redis is unavailable; repeat the call until it
                succeeds.
        """
        if self._store is None:
            return
        try:
            await self._store.forget(tags)
        except _AWAY as error:
            raise unavailable() from error

    async def forget_soon(self, tags: Sequence[str]) -> None:
        """Invalidate as `forget` does, but raise no error if Redis is unavailable."""
        if self._store is None or self._circuit is None:
            return
        with suppress(AppError):  # the circuit is open, and has logged this
            try:
                with self._circuit.guard():
                    await self._store.forget(tags)
            except _AWAY as error:
                log.warning("cache_away", error=error)

    async def aclose(self) -> None:
        """Stop the pings that check whether Redis is available again."""
        if self._circuit is not None:
            await self._circuit.aclose()

    async def _look(self, key: str, tags: Sequence[str]) -> Found | None:
        if self._store is None or self._circuit is None:
            return None
        try:
            with self._circuit.guard():
                return await self._store.look(key, tags)
        except AppError:
            return None  # the circuit is open, and has logged this
        except _AWAY as error:
            log.warning("cache_away", error=error)
            return None

    async def _load(
        self, store: RedisStore, flight: tuple[str, bytes], seconds: int, load: Load
    ) -> bytes:
        key, marks = flight
        # What is kept is for others, who may come after a change: no replica knows of all of them.
        positions.scope.set(None)
        answer, complete = await load()
        if complete and len(answer) <= self._max_bytes:
            try:
                await store.keep(key, marks, answer, seconds)
            except _AWAY as error:
                log.warning("cache_away", error=error)
        return answer

    def _landed(self, flight: tuple[str, bytes], task: asyncio.Task[bytes]) -> None:
        self._flights.pop(flight, None)
        if not task.cancelled():
            task.exception()  # retrieved, even if no waiting caller is left

    def _count(self, outcome: str) -> None:
        if self._counter is not None:
            self._counter.labels(outcome).inc()


def _counter(registry: CollectorRegistry) -> Counter:
    return Counter(
        "cache_requests_total",
        "Cache requests by outcome: hit, load, shared load, or load without Redis.",
        ("outcome",),
        registry=registry,
    )
