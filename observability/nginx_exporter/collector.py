"""Shows the totals, the follower's health and NGINX's connections in Prometheus' terms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from observability.nginx_exporter.exporter import Exporter, Watched
from observability.nginx_exporter.stub_status import Connections
from observability.nginx_exporter.tally import Series

_LABELS = ("method", "status", "route")


class ExporterCollector(Collector):
    """Builds every family at each scrape; nothing is kept twice."""

    def __init__(
        self, exporter: Exporter, connections: Callable[[], Connections | None] | None = None
    ) -> None:
        """`connections` asks NGINX; None if there is no status page to ask."""
        self._exporter = exporter
        self._connections = connections

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not scrape."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All families. What is shown has been written to the state file first."""
        exporter = self._exporter
        with exporter.lock:
            exporter.commit()
            families = [
                *_requests(exporter.totals.series, exporter.totals.buckets),
                *_followed(exporter.logs),
                *_own(exporter),
            ]
        yield from families
        # Outside the lock: a slow NGINX must not hold up reading its log.
        if self._connections is not None:
            yield from _connections(self._connections())


def _requests(series: list[Series], buckets: tuple[float, ...]) -> Iterator[Metric]:
    requests = CounterMetricFamily("nginx_http_requests", "Requests logged.", labels=_LABELS)
    size = CounterMetricFamily("nginx_size_bytes", "Bytes sent to clients.", labels=_LABELS)
    duration = HistogramMetricFamily(
        "nginx_http_request_duration_seconds", "Time from first byte to last.", labels=_LABELS
    )
    upstream = HistogramMetricFamily(
        "nginx_http_upstream_duration_seconds", "Time spent by all upstreams.", labels=_LABELS
    )
    bounds = [*map(floatToGoString, buckets), "+Inf"]
    for s in series:
        labels = (s.method, s.status, s.route)
        requests.add_metric(labels, s.requests)
        size.add_metric(labels, s.size)
        for family, counts, total in (
            (duration, s.duration, s.duration_sum),
            (upstream, s.upstream, s.upstream_sum),
        ):
            if any(counts):
                running = zip(bounds, accumulate(counts), strict=True)
                family.add_metric(labels, buckets=list(running), sum_value=total)
    yield from (requests, size, duration, upstream)


def _followed(logs: list[Watched]) -> Iterator[Metric]:
    up = _gauge("up", "Whether the log is there and can be read.")
    lag = _gauge("lag_bytes", "Bytes written to the log but not yet counted.")
    age = _gauge("last_line_age_seconds", "Time since the last line was read.")
    lines = _counter("lines", "Lines read.")
    errors = _counter("parse_errors", "Lines that do not fit the format, and count nowhere else.")
    read = _counter("read_bytes", "Bytes read.")
    rotations = _counter("rotations", "Times the log was renamed and begun again.")
    truncations = _counter("truncations", "Times the log was cut in place.")
    failed = _counter("read_errors", "Times the log could not be read.")
    lost = _counter("lost_files", "Times the log's old file was gone after a restart.")
    now = time.time()
    for watched in logs:
        state, follower = watched.follower.state, watched.follower
        labels = (state.path,)
        up.add_metric(labels, follower.up)
        lag.add_metric(labels, watched.lag())
        if state.last_line is not None:
            age.add_metric(labels, max(0.0, now - state.last_line))
        lines.add_metric(labels, watched.counts.lines)
        errors.add_metric(labels, watched.counts.parse_errors)
        read.add_metric(labels, state.bytes_read)
        rotations.add_metric(labels, state.rotations)
        truncations.add_metric(labels, state.truncations)
        lost.add_metric(labels, state.lost_files)
        failed.add_metric(labels, watched.read_errors)
    yield from (up, lag, age, lines, errors, read, rotations, truncations, lost, failed)


def _own(exporter: Exporter) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "nginx_exporter_series", "Label sets in use.", len(exporter.totals.series)
    )
    yield GaugeMetricFamily(
        "nginx_exporter_series_limit", "Label sets allowed.", exporter.totals.max_series
    )
    yield CounterMetricFamily(
        "nginx_exporter_state_errors", "Failed writes of the state file.", exporter.state_errors
    )


def _connections(seen: Connections | None) -> Iterator[Metric]:
    yield GaugeMetricFamily("nginx_up", "Whether the status page answers.", int(seen is not None))
    if seen is None:
        return
    yield GaugeMetricFamily("nginx_connections_active", "Open connections.", seen.active)
    states = GaugeMetricFamily(
        "nginx_connections", "Open connections by what they do.", labels=("state",)
    )
    states.add_metric(("reading",), seen.reading)
    states.add_metric(("writing",), seen.writing)
    states.add_metric(("waiting",), seen.waiting)
    yield states
    for name, text, value in (
        ("nginx_connections_accepted", "Connections accepted.", seen.accepted),
        ("nginx_connections_handled", "Connections not dropped at a limit.", seen.handled),
        ("nginx_server_requests", "Requests as NGINX itself counts them.", seen.requests),
    ):
        yield CounterMetricFamily(name, text, value)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"nginx_exporter_{name}", text, labels=("log",))


def _counter(name: str, text: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"nginx_exporter_{name}", text, labels=("log",))
