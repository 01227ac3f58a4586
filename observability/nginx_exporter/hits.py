"""One access-log line as the exporter sees it, and the few readings every format shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

Number = int | float | str | None
"""A value as a log writes it: `12`, `0.012`, `"-"`, `"0.1, 0.2 : 0.3"` or nothing."""

Hit = tuple[str, str, int | str, Number, Number, Number]
"""One request: method, target, status, bytes sent, its seconds and its upstreams' seconds.

Method and target are empty where the client sent something else. A tuple, and one for all formats,
because nothing is quicker to make and to take apart.
"""

MOST_BYTES: Final = 2**53
MOST_SECONDS: Final = 1e9
"""What is larger than these is nonsense, and would spoil a sum for good."""


class Parser(Protocol):
    """Reads complete lines of one format."""

    def parse(self, lines: bytes) -> tuple[Sequence[Hit], int]:
        """The requests in `lines` and how many lines made no sense; empty lines are neither."""
        ...

    def connections(self, lines: bytes) -> int:
        """Return how many connections began in `lines`; 0 where the format does not say."""
        ...


def seconds(value: Number) -> float | None:
    """The time a value says: several upstreams are summed, `-` and nonsense are no time at all.

    NGINX separates upstreams tried in turn by a comma and internal redirects by a colon.
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
    """The bytes a value says, 0 when it says none or nonsense."""
    try:
        size = int(value) if value is not None else 0
    except (ValueError, OverflowError):
        return 0
    return size if 0 <= size <= MOST_BYTES else 0


def total(values: Sequence[Number]) -> int:
    """The sum of what `count` says of each, in one go where all are plain."""
    try:
        sizes = [*map(int, values)]  # type: ignore[arg-type]  # None is refused, as said below
    except (TypeError, ValueError, OverflowError):
        return sum(map(count, values))
    plain = min(sizes, default=0) >= 0 and max(sizes, default=0) <= MOST_BYTES
    return sum(sizes) if plain else sum(map(count, values))
