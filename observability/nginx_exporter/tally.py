"""The counts of one series from one chunk of lines, added to the totals in one step.

For each line, values are only appended to lists, which takes the least time. Functions of Python
written in C do the arithmetic: sums over a list, one sort, and one search for each bound of a
histogram.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from observability.nginx_exporter.hits import Number, total
from observability.nginx_exporter.memo import Memo


class Series(msgspec.Struct, array_like=True):
    """The counts for one method, status and route; the last bucket has no upper limit."""

    method: str
    status: str
    route: str
    requests: int
    size: float
    duration: list[int]
    duration_sum: float
    upstream: list[int]
    upstream_sum: float

    def add(self, other: Series) -> None:
        """Add the counts of another series with the same buckets."""
        self.requests += other.requests
        self.size += other.size
        self.duration = [*map(int.__add__, self.duration, other.duration)]
        self.duration_sum += other.duration_sum
        self.upstream = [*map(int.__add__, self.upstream, other.upstream)]
        self.upstream_sum += other.upstream_sum


def rebucketed(series: Series, old: Sequence[float], new: Sequence[float]) -> Series:
    """Convert the series to the `new` bounds, all of which must be among the `old` bounds."""

    def merged(counts: Sequence[int]) -> list[int]:
        below = [0, *(sum(counts[: old.index(bound) + 1]) for bound in new), sum(counts)]
        return [high - low for low, high in pairwise(below)]

    return msgspec.structs.replace(
        series, duration=merged(series.duration), upstream=merged(series.upstream)
    )


Times = Memo[Number, float | None]
"""Cache the parsed seconds of recent texts. Texts repeat, because NGINX logs milliseconds."""


class Tally:
    """Lists that collect values of one series, and the series to which they are added later."""

    def __init__(self, series: Series, buckets: Sequence[float], times: Times) -> None:
        """Create empty lists for the series. All tallies share `times`."""
        self._series = series
        self._buckets = buckets
        self._times = times
        self.lists: tuple[list[Number], list[Number], list[Number]] = ([], [], [])

    def settle(self) -> None:
        """Add the contents of the lists to the series, and clear them."""
        series, (sizes, durations, upstreams) = self._series, self.lists
        if not sizes:
            return
        series.requests += len(sizes)
        series.size += total(sizes)
        known = self._sorted(durations)
        series.duration_sum += self._observe(series.duration, known)
        # A format with one time for both gives the same list twice.
        if upstreams != durations:
            known = self._sorted(upstreams)
        series.upstream_sum += self._observe(series.upstream, known)
        for values in self.lists:
            values.clear()

    def _sorted(self, values: list[Number]) -> list[float]:
        read = self._times.__getitem__
        return sorted([time for time in map(read, values) if time is not None])

    def _observe(self, counts: list[int], known: list[float]) -> float:
        if known:
            below = [0, *(bisect_right(known, bound) for bound in self._buckets), len(known)]
            for bucket, (low, high) in enumerate(pairwise(below)):
                counts[bucket] += high - low
        return sum(known)
