"""Export metrics about the exporter itself, and about NGINX's connections, to Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from observability.nginx_exporter.exporter import Exporter, Watched
from observability.nginx_exporter.stub_status import Connections


def followed(logs: list[Watched]) -> Iterator[Metric]:
    """Return the metrics about each followed log."""
    up = _gauge("up", "1 if the log exists and is readable, else 0.")
    lag = _gauge("lag_bytes", "Bytes written to the log but not yet counted.")
    age = _gauge("last_line_age_seconds", "Time since the last line was read.")
    lines = _counter("lines", "Lines read.")
    errors = _counter(
        "parse_errors", "Lines in an unexpected format, which are not counted elsewhere."
    )
    read = _counter("read_bytes", "Bytes read.")
    rotations = _counter("rotations", "Number of times that the log was renamed and recreated.")
    truncations = _counter("truncations", "Number of times that the log was truncated in place.")
    failed = _counter("read_errors", "Number of times that the log could not be read.")
    lost = _counter(
        "lost_files", "Number of times that the rotated log was missing after a restart."
    )
    opened = CounterMetricFamily(
        "nginx_http_connections",
        "Connections whose first request is in the log.",
        labels=("log",),
    )
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
        opened.add_metric(labels, watched.counts.connections)
    yield from (up, lag, age, lines, errors, read, rotations, truncations, lost, failed, opened)


def own(exporter: Exporter) -> Iterator[Metric]:
    """Return the metrics of the exporter itself."""
    yield GaugeMetricFamily(
        "nginx_exporter_series", "Label sets in use.", len(exporter.totals.series)
    )
    yield GaugeMetricFamily(
        "nginx_exporter_series_limit", "Label sets allowed.", exporter.totals.max_series
    )
    yield CounterMetricFamily(
        "nginx_exporter_state_errors", "Failed writes of the state file.", exporter.state_errors
    )


def connections(seen: Connections | None) -> Iterator[Metric]:
    """Return the metrics of NGINX's status page, or none if it does not respond."""
    yield GaugeMetricFamily(
        "nginx_up", "1 if the status page responds, else 0.", int(seen is not None)
    )
    if seen is None:
        return
    yield GaugeMetricFamily("nginx_connections_active", "Open connections.", seen.active)
    states = GaugeMetricFamily("nginx_connections", "Open connections by state.", labels=("state",))
    states.add_metric(("reading",), seen.reading)
    states.add_metric(("writing",), seen.writing)
    states.add_metric(("waiting",), seen.waiting)
    yield states
    for name, text, value in (
        ("nginx_connections_accepted", "Connections accepted.", seen.accepted),
        (
            "nginx_connections_handled",
            "Accepted connections, without those that NGINX dropped because of a limit.",
            seen.handled,
        ),
        ("nginx_server_requests", "Requests that NGINX itself has counted.", seen.requests),
    ):
        yield CounterMetricFamily(name, text, value)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"nginx_exporter_{name}", text, labels=("log",))


def _counter(name: str, text: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"nginx_exporter_{name}", text, labels=("log",))
