"""Retry a whole transaction a few times after a serialization failure or deadlock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from lib.db.errors import SerializationFailureError
from lib.db.executor import Database, Executor

T = TypeVar("T")


async def in_transaction(
    db: Database,
    work: Callable[[Executor], Awaitable[T]],
    *,
    isolation: str = "serializable",
    attempts: int = 4,
) -> T:
    """Run `work` in a transaction. After a serialization failure or a deadlock, run `work` again.

    `work` must change nothing outside the transaction. The waits grow from 10 ms and have a random
    part.

    Raises:
        SerializationFailureError: after the last attempt; HTTP and gRPC respond with a conflict
            (409).
    """
    async for attempt in stamina.retry_context(
        on=SerializationFailureError,
        attempts=attempts,
        wait_initial=0.01,
        wait_max=0.2,
        wait_jitter=0.02,
    ):
        with attempt:
            async with db.transaction(isolation=isolation) as tx:
                return await work(tx)
    raise AssertionError("unreachable: the loop above returns or raises")
