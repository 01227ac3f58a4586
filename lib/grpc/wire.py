"""Metadata of a call: the request ID, the remaining seconds, the log position of past writes."""

from __future__ import annotations

import asyncio
from typing import Final

from lib.positions import HEADER

REQUEST_ID: Final = "x-request-id"
READ_AFTER: Final = HEADER.lower()
FOREVER: Final = 86_400.0  # grpc reports years where the caller set no limit


def until(seconds: float | None) -> float | None:
    """Convert remaining seconds, as grpc reports them, to a time of the event loop's clock.

    Return None if the caller set no limit.
    """
    if seconds is None or seconds > FOREVER:
        return None
    return asyncio.get_running_loop().time() + max(0.0, seconds)


def sooner(left: float | None, right: float | None) -> float | None:
    """Return the earlier of two times. None means never."""
    if left is None or right is None:
        return right if left is None else left
    return min(left, right)
