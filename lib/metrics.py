"""Prometheus metrics: a registry per process, its default metrics, and the exposition."""

from __future__ import annotations

import asyncio
import platform
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate
from weakref import WeakSet

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

# From a cache hit to the slowest request the deadline allows, in seconds.
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LOOK_SECONDS = 0.5
# Those of this process: one, or several in tests.
_REGISTRIES: WeakSet[CollectorRegistry] = WeakSet()


def new_registry(service: str) -> CollectorRegistry:
    """Return a registry with metrics of the process, the interpreter and the build."""
    registry = CollectorRegistry()
    _REGISTRIES.add(registry)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    info = Info("app_build", "What is running.", registry=registry)
    info.info({"service": service, "version": app_version(), "python": platform.python_version()})
    return registry


def registries() -> list[CollectorRegistry]:
    """Return the registries made by `new_registry` that are in use."""
    return list(_REGISTRIES)


def app_version() -> str:
    """Return the version of the installed platform, or `0` if it is not installed."""
    try:
        return version("marketplace-platform")
    except PackageNotFoundError:
        return "0"


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return the metrics and their content type, in the format that `Accept` prefers."""
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


class Durations:
    """The number of observations per bucket of `LATENCY_BUCKETS`, and the sum of durations."""

    __slots__ = ("_counts", "_seconds")

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY_BUCKETS) + 1)
        self._seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(LATENCY_BUCKETS, seconds)] += 1
        self._seconds += seconds

    def sample(self) -> tuple[list[tuple[str, float]], float]:
        """Return the cumulative buckets and the sum of seconds for the exposition."""
        bounds = (*map(floatToGoString, LATENCY_BUCKETS), "+Inf")
        return list(zip(bounds, accumulate(map(float, self._counts)), strict=True)), self._seconds


class Latencies(Collector):
    """A histogram for operations that run in every request.

    The library's histogram takes five locks per observation. This class takes no lock, and only the
    thread of the event loop may use it.
    """

    def __init__(
        self, name: str, text: str, labels: Sequence[str], registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._children: dict[tuple[str, ...], Durations] = {}
        registry.register(self)

    def child(self, *values: str) -> Durations:
        """Return the histogram for the given label values, for repeated use."""
        return self._children.setdefault(values, Durations())

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Return all observations so far."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for values, durations in self._children.items():
            buckets, seconds = durations.sample()
            family.add_metric(values, buckets, seconds)
        yield family


@asynccontextmanager
async def watch_event_loop(registry: CollectorRegistry) -> AsyncIterator[None]:
    """Measure the lag of the event loop, which blocking calls cause, while the block runs."""
    lag = Histogram(
        "event_loop_lag_seconds",
        "Seconds by which the event loop wakes a timer too late.",
        buckets=_LAG_BUCKETS,
        registry=registry,
    )
    task = asyncio.create_task(_measure_lag(lag), name="event-loop-lag")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _measure_lag(lag: Histogram) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _LOOK_SECONDS
        await asyncio.sleep(_LOOK_SECONDS)
        lag.observe(max(0.0, loop.time() - due))
