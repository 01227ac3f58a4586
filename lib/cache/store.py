"""Cached responses in Redis, each with the version markers of its tags.

A version marker is a random text under the name of a tag. Deleting a marker invalidates every
response with this tag. It also invalidates a response that a process is still computing from
earlier reads. Lost markers, an empty Redis and evicted keys cause a cache miss, never an outdated
response.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis

from lib.redis import ReplicatedWriter, cluster_of

MAX_SECONDS: Final = 3600
_MARK_BYTES: Final = 16
# Longer than any answer: a mark that ends earlier costs a miss, nothing else.
_MARK_SECONDS: Final = 2 * MAX_SECONDS


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a look-up: the version markers of the tags, and the response if it is valid."""

    marks: bytes
    answer: bytes | None


class RedisStore:
    """Store responses at `<prefix>:answer:<key>` and version markers at `<prefix>:mark:<tag>`.

    Raises the exceptions of the Redis client.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._writer = ReplicatedWriter(redis)
        # In a cluster keys are apart. Each mark speaks for itself: they need not be of one moment.
        cluster = cluster_of(redis)
        self._get_all = redis.mget if cluster is None else cluster.mget_nonatomic
        self._answer = f"{prefix}:answer:"
        self._mark = f"{prefix}:mark:"

    async def look(self, key: str, tags: Sequence[str]) -> Found:
        """Look up a response, and create the missing version markers of its tags."""
        names = [self._mark + tag for tag in tags]
        values: Any = await self._get_all(self._answer + key, *names)
        stored, marks = values[0], values[1:]
        if None in marks:
            return Found(await self._make(names), None)
        prefix = b"".join(marks)
        if stored is None or not stored.startswith(prefix):
            return Found(prefix, None)
        return Found(prefix, stored[len(prefix) :])

    async def keep(self, key: str, marks: bytes, answer: bytes, seconds: int) -> None:
        """Store a response that was computed after `marks` were read."""
        await self._redis.set(self._answer + key, marks + answer, ex=min(seconds, MAX_SECONDS))

    async def forget(self, tags: Sequence[str]) -> None:
        """Invalidate every response with one of these tags."""
        names = [self._mark + tag for tag in tags]
        await self._writer.write({name: [("DEL", name)] for name in names})

    async def _make(self, names: Sequence[str]) -> bytes:
        # If two callers create a mark, both use the mark of the first.
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.set(name, secrets.token_bytes(_MARK_BYTES), ex=_MARK_SECONDS, nx=True)
            pipeline.get(name)
        marks: list[bytes | None] = (await pipeline.execute())[1::2]
        # One that is gone already: what is kept under it is never found.
        return b"".join(mark or secrets.token_bytes(_MARK_BYTES) for mark in marks)
