"""The platform's histogram gives the same values as the library's."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from lib.metrics import LATENCY_BUCKETS, Latencies

SECONDS = (0.0, 0.0004, 0.001, 0.0011, 0.25, 3.0, 10.0, 10.5)


def test_latencies_read_as_the_histogram_of_the_library() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    labels = ("method", "route")
    latencies = Latencies("http_seconds", "Seconds.", labels, ours)
    histogram = Histogram(
        "http_seconds", "Seconds.", labels, buckets=LATENCY_BUCKETS, registry=theirs
    )
    for method in ("GET", "POST"):
        for seconds in SECONDS:
            latencies.child(method, "/x").observe(seconds)
            histogram.labels(method, "/x").observe(seconds)
    assert lines(ours) == lines(theirs)


def lines(registry: CollectorRegistry) -> list[str]:
    exposed = generate_latest(registry).decode().splitlines()
    return [line for line in exposed if "_created" not in line]
