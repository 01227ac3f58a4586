"""The deadline budget: one time limit for a request, passed on to upstreams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from lib import context
from lib.errors import AppError, Code

# Milliseconds that the caller still waits: relative, because clocks of two machines differ.
HEADER: Final = "X-Deadline-Ms"
_LONGEST_MS: Final = 3_600_000


@asynccontextmanager
async def within(seconds: float, *, what: str = "the call") -> AsyncIterator[None]:
    """Limit the block to `seconds`, or to the rest of the request's budget if that is less.

    Calls in the block have the smaller budget.

    Raises:
        AppError: DEADLINE_EXCEEDED when the time is up.
    """
    with budget(seconds) as until:
        if until <= asyncio.get_running_loop().time():
            raise _late(what)
        try:
            async with asyncio.timeout_at(until) as scope:
                yield
        except TimeoutError:
            if scope.expired():
                raise _late(what) from None
            raise


@contextmanager
def budget(seconds: float) -> Iterator[float]:
    """Lower the request's time budget inside the block to at most `seconds`.

    Yield the time at which the budget ends, on the event loop's clock.

    This function cancels nothing: the calls in the block use the `remaining` time as their limit.
    """
    outer = context.deadline.get()
    until = asyncio.get_running_loop().time() + remaining(seconds)
    context.deadline.set(until)
    try:
        yield until
    finally:
        context.deadline.set(outer)


def remaining(limit: float) -> float:
    """Return the seconds a call may take: `limit`, or less if the request's deadline is sooner.

    The result is never negative; zero means that the time is already up.
    """
    until = context.deadline.get()
    if until is None:
        return limit
    return max(0.0, min(limit, until - asyncio.get_running_loop().time()))


def write_header(headers: MutableMapping[str, str], seconds: float) -> None:
    """Add the remaining time limit to the headers for the upstream."""
    headers[HEADER] = str(max(1, int(remaining(seconds) * 1000)))


def read_header(headers: Mapping[str, str], *, limit: float) -> float:
    """Return a request's time limit in seconds: the caller's if valid and shorter, or `limit`."""
    text = headers.get(HEADER, "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LONGEST_MS))):
        return limit
    return min(limit, int(text) / 1000)


def _late(what: str) -> AppError:
    return AppError(Code.DEADLINE_EXCEEDED, f"{what} took too long")
