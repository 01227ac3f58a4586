"""The time of day as a dependency, so that a test can set it; and what is done now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

Clock = Callable[[], datetime]
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def utc_now() -> datetime:
    """Return the present moment in UTC, with its time zone."""
    return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """Return a moment with its zone in UTC; at the edge of the calendar the nearest UTC has.

    `0001-01-01T00:00+14:00` is well-formed and lies in no year of UTC: drivers refuse it.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST if moment.year == 1 else _LAST


class Every:
    """Tells a loop when to do what it does only now and then: `if every.is_due(): …`."""

    __slots__ = ("_last", "_seconds")

    def __init__(self, seconds: float) -> None:
        """Be due at once, then again when `seconds` have gone by since it was last said."""
        self._seconds = seconds
        self._last = float("-inf")

    def is_due(self) -> bool:
        """Return whether it is time; where it is, the wait begins again."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True
