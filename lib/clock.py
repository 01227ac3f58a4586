"""The current time, as a dependency that tests can replace, and timers for periodic work."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

Clock = Callable[[], datetime]
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


# Returns the current time in UTC, with its time zone.
utc_now: Final[Clock] = partial(datetime.now, UTC)


def in_utc(moment: datetime) -> datetime:
    """Convert an aware `datetime` to UTC.

    A time outside the range of `datetime` becomes the nearest valid time.

    For example, `0001-01-01T00:00+14:00` is a valid text, but its time in UTC is before year 1, and
    drivers refuse it.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST if moment.year == 1 else _LAST


class Every:
    """A timer for periodic work in a loop: `if every.is_due(): …`."""

    __slots__ = ("_last", "_seconds")

    def __init__(self, seconds: float) -> None:
        """Create a timer that is due at once and again after each interval of `seconds`."""
        self._seconds = seconds
        self._last = float("-inf")

    def is_due(self) -> bool:
        """Return whether the work is due. If the work is due, restart the interval."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True
