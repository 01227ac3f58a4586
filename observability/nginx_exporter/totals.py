"""Sum requests by method, status and route."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from observability.nginx_exporter.hits import Hit, seconds
from observability.nginx_exporter.memo import Memo
from observability.nginx_exporter.places import MAX_SAMPLES, Labels, Places, series_within
from observability.nginx_exporter.routes import OTHER, Router
from observability.nginx_exporter.tally import Series, Tally

BUCKETS: Final = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 2.0, 10.0)
"""The upper bounds of the histogram buckets, in seconds.

Each bound adds two samples to a series, so few bounds leave room for more series.
"""

_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}
)
_UNSETTLED: Final = 20_000

_Key = tuple[str, int | str, str]


class Totals:
    """All series. The number of series is bounded: `Places` chooses the labels of a request."""

    def __init__(
        self,
        router: Router,
        *,
        buckets: Sequence[float] = BUCKETS,
        max_series: int | None = None,
        series: Iterable[Series] = (),
    ) -> None:
        """Continue from `series`, which must have the same buckets.

        If a past series would get no label set of its own now, its counts are added to the series
        that counts such requests now. The default of `max_series` is the number that fits in
        `MAX_SAMPLES`.
        """
        self.buckets = tuple(buckets)
        self._route = router.route
        self.max_series = max_series or series_within(MAX_SAMPLES, len(self.buckets))
        self._places = Places(self.max_series)
        self._series: dict[Labels, Series] = {}
        self._times = Memo(seconds)
        self._tallies: dict[Labels, Tally] = {}
        self._known: dict[_Key, Tally] = {}
        self._unsettled = 0
        for past in series:
            place = self._places.find((past.method, past.status, past.route))
            self._admit(place)
            self._series[place].add(past)

    @property
    def series(self) -> list[Series]:
        """Return the series, not copies: read them only under the lock that guards `add`."""
        self._settle()
        return list(self._series.values())

    def add(self, hits: Collection[Hit]) -> None:
        """Count the requests."""
        route, known = self._route, self._known
        for method, target, status, size, duration, upstream in hits:
            key = method, status, route(target)
            tally = known.get(key) or self._find(key)
            sizes, durations, upstreams = tally.lists
            sizes.append(size)
            durations.append(duration)
            upstreams.append(upstream)
        self._unsettled += len(hits)
        # The longer the lists, the less each of their values costs; but they are not for ever.
        if self._unsettled >= _UNSETTLED:
            self._settle()

    def _settle(self) -> None:
        for tally in self._tallies.values():
            tally.settle()
        self._unsettled = 0

    def _find(self, key: _Key) -> Tally:
        method, status, route = key
        code = _code(status)
        if method not in _METHODS:
            method = OTHER
        place = self._places.find((method, code, route))
        tally = self._tallies.get(place) or self._admit(place)
        # Known from now on if none of its parts is a stranger's, who could make up any number.
        if OTHER not in (method, code):
            self._known[key] = tally
        return tally

    def _admit(self, place: Labels) -> Tally:
        if place not in self._tallies:
            zeros = [0] * (len(self.buckets) + 1)
            series = Series(*place, 0, 0, zeros, 0.0, zeros.copy(), 0.0)
            self._series[place] = series
            self._tallies[place] = self._tally(series)
        return self._tallies[place]

    def _tally(self, series: Series) -> Tally:
        return Tally(series, self.buckets, self._times)


def _code(status: int | str) -> str:
    if isinstance(status, str):
        plain = len(status) == 3 and status.isascii() and status.isdecimal()
        status = int(status) if plain else 0
    return str(status) if 100 <= status <= 599 else OTHER
