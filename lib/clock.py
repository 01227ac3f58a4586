"""The time of day as a dependency, so that a test can set it."""

from __future__ import annotations

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
