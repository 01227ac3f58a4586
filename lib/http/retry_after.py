"""Parse the `Retry-After` header of other servers: seconds or a date."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from lib.clock import Clock, utc_now

RETRY_AFTER: Final = "Retry-After"
_LONGEST: Final = 86_400


def seconds_of(header: str | None, *, clock: Clock = utc_now) -> int | None:
    """Return the seconds to wait, at most a day, or None without a valid header.

    `"120"` gives 120; `"Wed, 21 Oct 2026 07:28:00 GMT"` gives the seconds until this time, or 0 if
    it has passed.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:10]), _LONGEST)
    moment = _moment(text)
    if moment is None:
        return None
    left = math.ceil((moment - clock()).total_seconds())
    return max(0, min(left, _LONGEST))


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
