"""The page that Prometheus scrapes. The text of a series is reused until its counts change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from observability.nginx_exporter.collector import connections, followed, own
from observability.nginx_exporter.exporter import Exporter
from observability.nginx_exporter.places import Labels
from observability.nginx_exporter.stub_status import Connections
from observability.nginx_exporter.tally import Series

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_REQUESTS: Final = "nginx_http_requests_total"
_SIZE: Final = "nginx_size_bytes_total"
_DURATION: Final = "nginx_http_request_duration_seconds"
_UPSTREAM: Final = "nginx_http_upstream_duration_seconds"
_FAMILIES: Final = (
    (_REQUESTS, "counter", "Requests logged."),
    (_SIZE, "counter", "Bytes sent to clients."),
    (
        _DURATION,
        "histogram",
        "Seconds from the first byte of a request to the last byte of its response.",
    ),
    (_UPSTREAM, "histogram", "Seconds that the upstream servers of a request took together."),
)

_Texts = tuple[str, str, str, str]
"""The text of the samples of one series, for each of the four metric families."""


class Page:
    """Build the page; `connections` queries NGINX, or is None without a status page."""

    def __init__(
        self,
        exporter: Exporter,
        process: CollectorRegistry,
        ask: Callable[[], Connections | None] | None = None,
    ) -> None:
        """Create the page. `process` holds the metrics of the process itself."""
        self._exporter = exporter
        self._process = process
        self._ask = ask
        self._requests = RequestTexts(exporter.totals.buckets)

    def text(self) -> bytes:
        """Write the counts to the state file, then return the text of all metric families."""
        exporter = self._exporter
        with exporter.lock:
            exporter.commit()
            requests = self._requests.text(exporter.totals.series)
            families = [*followed(exporter.logs), *own(exporter)]
        # Outside the lock: a slow NGINX must not hold up reading its log.
        if self._ask is not None:
            families += connections(self._ask())
        given = CollectorRegistry()
        given.register(_Given(families))
        return requests.encode() + generate_latest(given) + generate_latest(self._process)


class _Given(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def describe(self) -> Iterable[Metric]:
        return ()  # Nothing else is registered beside them.

    def collect(self) -> Iterable[Metric]:
        return self._families


class RequestTexts:
    """The text of the samples of each series, cached until the series counts another request.

    The library creates the same text from an object for each sample, which takes ten times as long.
    """

    def __init__(self, buckets: Sequence[float]) -> None:
        """Create the texts. `buckets` are the upper bounds of both histograms."""
        self._bounds = [*map(floatToGoString, buckets), "+Inf"]
        self._kept: dict[Labels, tuple[int, _Texts]] = {}

    def text(self, series: Sequence[Series]) -> str:
        """The four families."""
        texts = [self._of(each) for each in series]
        parts: list[str] = []
        for at, (name, kind, text) in enumerate(_FAMILIES):
            parts.append(f"# HELP {name} {text}\n# TYPE {name} {kind}\n")
            parts += [each[at] for each in texts]
        return "".join(parts)

    def _of(self, series: Series) -> _Texts:
        key = (series.method, series.status, series.route)
        requests, texts = self._kept.get(key, (0, ("", "", "", "")))
        if requests != series.requests:
            texts = self._made(series)
            self._kept[key] = series.requests, texts
        return texts

    def _made(self, s: Series) -> _Texts:
        labels = f'method="{s.method}",route="{_escaped(s.route)}",status="{s.status}"'
        return (
            f"{_REQUESTS}{{{labels}}} {s.requests}\n",
            f"{_SIZE}{{{labels}}} {s.size}\n",
            self._histogram(_DURATION, labels, s.duration, s.duration_sum),
            self._histogram(_UPSTREAM, labels, s.upstream, s.upstream_sum),
        )

    def _histogram(self, name: str, labels: str, counts: list[int], total: float) -> str:
        if not any(counts):
            return ""
        bucket = f"{name}_bucket{{{labels},le="
        below = zip(self._bounds, accumulate(counts), strict=True)
        buckets = "".join([f'{bucket}"{bound}"}} {count}\n' for bound, count in below])
        ends = f"{name}_count{{{labels}}} {sum(counts)}\n{name}_sum{{{labels}}} {total}\n"
        return buckets + ends


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
