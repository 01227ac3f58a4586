"""A parsed line of an access log, and the value formats that are the same in all log formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

Number = int | float | str | None
"""A value in a log: `12`, `0.012`, `"-"`, `"0.1, 0.2 : 0.3"` or None."""

Hit = tuple[str, str, int | str, Number, Number, Number]
"""A request: method, target, status, bytes sent, duration and the durations of upstreams.

The method and the target are empty if the client did not send an HTTP request. The type is a tuple,
and the same tuple for all formats, because a tuple is the fastest to create and to unpack.
"""

MOST_BYTES: Final = 2**53
MOST_SECONDS: Final = 1e9
"""The largest valid values; a larger value is wrong, and would distort the sums forever."""


class Parser(Protocol):
    """Parse complete lines of one format."""

    def parse(self, lines: bytes) -> tuple[Sequence[Hit], int]:
        """Return the requests in `lines` and the number of invalid lines.

        An empty line counts neither as a hit nor as an unreadable line.
        """
        ...

    def connections(self, lines: bytes) -> int:
        """Return how many connections began in `lines`, or 0 if the format does not log this."""
        ...


def seconds(value: Number) -> float | None:
    """Return the seconds in a value, as a sum over upstreams, or None for `-` and invalid text.

    NGINX separates the upstreams that it tried in turn by commas, and internal redirects by colons.
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return _sum(str(value))
    # NaN fails both comparisons, so it never reaches a histogram.
    return value if value is not None and 0 <= value <= MOST_SECONDS else None


def _sum(text: str) -> float | None:
    if "," not in text and ":" not in text:
        return None
    times = [seconds(part.strip()) for part in text.replace(":", ",").split(",")]
    known = [time for time in times if time is not None]
    return sum(known) if known else None


def count(value: Number) -> int:
    """Return the bytes in a value, or 0 for missing or invalid text."""
    try:
        size = int(value) if value is not None else 0
    except (ValueError, OverflowError):
        return 0
    return size if 0 <= size <= MOST_BYTES else 0


def total(values: Sequence[Number]) -> int:
    """Return the sum of `count` over all values, in one step if all values are plain numbers."""
    try:
        sizes = [*map(int, values)]  # type: ignore[arg-type]  # None is refused, as said below
    except (TypeError, ValueError, OverflowError):
        return sum(map(count, values))
    plain = min(sizes, default=0) >= 0 and max(sizes, default=0) <= MOST_BYTES
    return sum(sizes) if plain else sum(map(count, values))
