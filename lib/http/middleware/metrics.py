"""HTTP metrics by route template, method and status."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from lib.http.middleware.exchange import Exchange
from lib.metrics import Durations, Latencies

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class _Answers:
    """Count the responses of one method and route with one status.

    The statuses of a route share one histogram of durations.
    """

    __slots__ = ("count", "durations")

    def __init__(self, durations: Durations) -> None:
        self.count = 0
        self.durations = durations


class RequestMetrics(Collector):
    """Count and time requests.

    The metrics are `http_requests_total{method,route,status}`,
    `http_request_duration_seconds{method,route}` and `http_requests_in_progress`. The label of an
    unknown method or route is `other`.
    """

    def __init__(self, registry: CollectorRegistry, in_progress: Callable[[], int]) -> None:
        """Create the metrics. `in_progress` returns the number of running, short-lived requests."""
        self._answers: dict[tuple[str, str, int], _Answers] = {}
        self._durations = Latencies(
            "http_request_duration_seconds",
            "Seconds from the parsed request to its response.",
            ("method", "route"),
            registry,
        )
        gauge = Gauge("http_requests_in_progress", "Requests in progress.", registry=registry)
        gauge.set_function(in_progress)
        registry.register(self)

    def end(self, exchange: Exchange, status: int) -> float:
        """Count a finished request, and record and return its duration in seconds."""
        seconds = perf_counter() - exchange.began
        kind = (exchange.method, exchange.route, status)
        answers = self._answers.get(kind) or self._add(*kind)
        answers.count += 1
        if not exchange.is_long_lived:
            answers.durations.observe(seconds)
        return seconds

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Yield the numbers of responses so far."""
        labels = ("method", "route", "status")
        family = CounterMetricFamily("http_requests", "Requests answered.", labels=labels)
        for (method, route, status), answers in self._answers.items():
            family.add_metric((method, route, str(status)), answers.count)
        yield family

    def _add(self, method: str, route: str, status: int) -> _Answers:
        # Strangers choose their methods: the table must not grow with them.
        known = method if method in _METHODS else "other"
        answers = self._answers.get((known, route, status))
        if answers is None:
            answers = _Answers(self._durations.child(known, route))
            self._answers[known, route, status] = answers
        return answers
