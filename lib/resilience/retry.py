"""Retry idempotent calls with growing, jittered waits, while time is left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import stamina

from lib.errors import AppError
from lib.resilience.deadline import remaining
from lib.resilience.outcome import is_transient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The number of attempts, and the waits, which double from `first` to `longest` seconds."""

    attempts: int = 3
    first: float = 0.05
    longest: float = 1.0
    jitter: float = 0.05


async def repeat(
    work: Callable[[], Awaitable[T]],
    failure: Exception,
    *,
    policy: RetryPolicy = RetryPolicy(),
    seconds: float = 10.0,
) -> T:
    """Retry the idempotent `work` after its first attempt has raised `failure`.

    If no attempt succeeds, the last failure is raised. If a retry cannot help, `failure` is raised
    at once. The `Retry-After` of the upstream is respected; if it is longer than the remaining
    time, the failure is raised at once.
    """

    def hook(error: Exception) -> bool | timedelta:
        if not is_transient(error):
            return False
        asked = _retry_after(error)
        if remaining(seconds) <= (asked or policy.first):
            return False
        return True if asked is None else timedelta(seconds=asked)

    # The library is for failures alone: it costs more than a call that succeeds at once.
    async for attempt in stamina.retry_context(
        on=hook,
        attempts=policy.attempts,
        timeout=max(0.001, remaining(seconds)),
        wait_initial=policy.first,
        wait_max=policy.longest,
        wait_jitter=policy.jitter,
    ):
        with attempt:
            if attempt.num == 1:
                raise failure
            return await work()
    raise AssertionError("unreachable: the loop above returns or raises")


def _retry_after(error: Exception) -> float | None:
    text = error.headers.get("Retry-After", "") if isinstance(error, AppError) else ""
    return float(text) if text.isascii() and text.isdigit() else None
