"""Limits on what can be guessed or annoys.

Counted in the database: no restart, no replica and no absent cache lets anyone try more often.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from lib.db import Executor
from lib.errors import AppError, Code
from services.user.store import attempts


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `attempts` in a window of `seconds` that begins with the first of them."""

    attempts: int
    seconds: float


def key(*parts: str) -> bytes:
    """Return what to count by. Hashed: the table keeps no addresses; case is no difference."""
    return hashlib.sha256("\0".join(parts).lower().encode("utf-8", "surrogateescape")).digest()


async def take(db: Executor, limits: Mapping[bytes, Limit]) -> None:
    """Count one attempt for every key, before it is made.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED with `Retry-After` where one of the limits is exceeded; it
            says the same whether or not there is such an account.
    """
    wait = 0.0
    for counted_by, limit in limits.items():
        counted = await attempts.count_attempt(db, key=counted_by, seconds=limit.seconds)
        if counted.attempts > limit.attempts:
            wait = max(wait, counted.seconds_left)
    if wait > 0:
        raise AppError(
            Code.RATE_LIMIT_EXCEEDED,
            "too many attempts, try again later",
            headers={"Retry-After": str(max(1, math.ceil(wait)))},
        )
