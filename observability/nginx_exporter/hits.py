"""One access-log line as the exporter sees it, and the few readings every format shares."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Protocol

Number = int | float | str | None
"""A value as a log writes it: `12`, `0.012`, `"-"`, `"0.1, 0.2 : 0.3"` or nothing."""


class Hit(Protocol):
    """One request. Times are seconds, as NGINX wrote them; sizes are bytes."""

    @property
    def method(self) -> str:
        """As sent, or empty."""
        ...

    @property
    def path(self) -> str:
        """Request target, or empty."""
        ...

    @property
    def status(self) -> int | str:
        """Three digits."""
        ...

    @property
    def size(self) -> Number:
        """Bytes sent."""
        ...

    @property
    def duration(self) -> Number:
        """Seconds of the request."""
        ...

    @property
    def upstream(self) -> Number:
        """Seconds of the upstreams."""
        ...


class Parser(Protocol):
    """Reads complete lines of one format."""

    def parse(self, lines: bytes) -> tuple[Sequence[Hit], int]:
        """The requests in `lines` and how many lines made no sense; empty lines are neither."""
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
    return value if value is not None and 0 <= value < inf else None


def _sum(text: str) -> float | None:
    if "," not in text and ":" not in text:
        return None
    times = [seconds(part.strip()) for part in text.replace(":", ",").split(",")]
    known = [time for time in times if time is not None]
    return sum(known) if known else None


def count(value: Number) -> int:
    """The bytes a value says, 0 when it says none."""
    try:
        return max(0, int(value)) if value is not None else 0
    except (ValueError, OverflowError):
        return 0


def split_request(request: str) -> tuple[str, str]:
    """Method and path of a request line; either is empty when the client sent something else."""
    words = request.split(" ")
    if len(words) < 2 or not words[0].isalpha():
        return "", ""
    return words[0], words[1]
