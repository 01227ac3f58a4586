"""Adds requests up by method, status and route."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from observability.nginx_exporter.hits import Hit, count, seconds
from observability.nginx_exporter.routes import OTHER, Router

BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Upper bounds in seconds; NGINX measures milliseconds, so nothing finer is of use."""

_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}
)
_CACHED_PATHS: Final = 16_384
_LONGEST_CACHED: Final = 256


class Series(msgspec.Struct, array_like=True):
    """What was counted under one method, status and route; the last bucket has no upper bound."""

    method: str
    status: str
    route: str
    requests: int
    size: int
    duration: list[int]
    duration_sum: float
    upstream: list[int]
    upstream_sum: float


class Totals:
    """All series. Their number is bounded: past the limit, new ones are counted as `other`."""

    def __init__(
        self,
        router: Router,
        *,
        buckets: Sequence[float] = BUCKETS,
        max_series: int = 2000,
        series: Iterable[Series] = (),
    ) -> None:
        """Continues from `series`, which must have been counted with the same buckets."""
        self.buckets = tuple(buckets)
        self._router = router
        self.max_series = max_series
        self._series = {(s.method, s.status, s.route): s for s in series}
        # The cache keeps the common case to one C call, and its bound keeps hostile paths cheap.
        self._cached = lru_cache(_CACHED_PATHS)(self._find)

    @property
    def series(self) -> list[Series]:
        """Every series, live: read it under the lock that guards `add`."""
        return list(self._series.values())

    def add(self, hits: Iterable[Hit]) -> None:
        """Count the requests."""
        cached, buckets = self._cached, self.buckets
        for hit in hits:
            path = hit.path
            if "?" in path:
                path = path[: path.index("?")]
            find = cached if len(path) <= _LONGEST_CACHED else self._find
            series = find(hit.method, hit.status, path)
            series.requests += 1
            size = hit.size
            series.size += size if type(size) is int and size >= 0 else count(size)
            duration = seconds(hit.duration)
            if duration is not None:
                series.duration[bisect_left(buckets, duration)] += 1
                series.duration_sum += duration
            upstream = seconds(hit.upstream)
            if upstream is not None:
                series.upstream[bisect_left(buckets, upstream)] += 1
                series.upstream_sum += upstream

    def _find(self, method: str, status: int | str, path: str) -> Series:
        code = str(status)
        key = (
            method if method in _METHODS else OTHER,
            code if len(code) == 3 and "100" <= code <= "599" and code.isdecimal() else OTHER,
            self._router.route(path),
        )
        found = self._series.get(key)
        if found is None and len(self._series) >= self.max_series:
            key = (OTHER, OTHER, OTHER)
            found = self._series.get(key)
        return found or self._series.setdefault(key, self._empty(key))

    def _empty(self, key: tuple[str, str, str]) -> Series:
        zeros = [0] * (len(self.buckets) + 1)
        return Series(*key, 0, 0, zeros, 0.0, zeros.copy(), 0.0)
