"""Export the metrics of `/metrics` over OTLP, under the same names, every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family

from lib.metrics import registries

_TIMEOUT_SECONDS: Final = 2
_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE


@asynccontextmanager
async def sending_metrics(url: str, resource: Resource, *, seconds: float) -> AsyncIterator[None]:
    """Send the metrics of the process periodically, and once more at the end of the block."""
    exporter = OTLPMetricExporter(url, timeout=_TIMEOUT_SECONDS)
    sender = _Sender(exporter, resource)
    task = asyncio.create_task(sender.run(seconds), name="otlp-metrics")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sender.send()
        await asyncio.to_thread(exporter.shutdown)


class _Sender:
    """Read metrics in the event loop, because their writers use no locks. Send in a thread."""

    def __init__(self, exporter: OTLPMetricExporter, resource: Resource) -> None:
        self._exporter = exporter
        self._resource = resource
        self._began = time.time_ns()
        # Held for the last time: the service's parts are gone by then.
        self._known: set[CollectorRegistry] = set()

    async def run(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self.send()

    async def send(self) -> None:
        self._known.update(registries())
        families = [family for registry in self._known for family in registry.collect()]
        data = exported(families, self._resource, self._began, time.time_ns())
        await asyncio.to_thread(self._exporter.export, data)


def exported(families: Iterable[Family], resource: Resource, began: int, now: int) -> MetricsData:
    """Return the metrics as OpenTelemetry data. Times are nanoseconds since 1970.

    Counters and gauges keep the names of their samples; a histogram has the name of its family.
    """
    metrics = [metric for family in families for metric in _metrics(family, began, now)]
    scope = InstrumentationScope("lib.metrics")
    return MetricsData(
        [ResourceMetrics(resource, [ScopeMetrics(scope, metrics, "")], resource.schema_url)]
    )


def _metrics(family: Family, began: int, now: int) -> Iterable[Metric]:
    if family.type == "histogram":
        points = _histogram_points(family, began, now)
        yield Metric(family.name, family.documentation, "", Histogram(points, _CUMULATIVE))
        return
    names = dict.fromkeys(s.name for s in family.samples if not s.name.endswith("_created"))
    for name in names:
        numbers = [
            NumberDataPoint(dict(sample.labels), began, now, sample.value)
            for sample in family.samples
            if sample.name == name
        ]
        counted = family.type == "counter"
        data = Sum(numbers, _CUMULATIVE, is_monotonic=True) if counted else Gauge(numbers)
        yield Metric(name, family.documentation, "", data)


def _histogram_points(family: Family, began: int, now: int) -> list[HistogramDataPoint]:
    buckets: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        key = tuple(sorted(labels.items()))
        if sample.name.endswith("_bucket"):
            buckets.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_sum"):
            sums[key] = sample.value
    return [
        _point(dict(key), sorted(cumulated), sums.get(key, 0.0), began, now)
        for key, cumulated in buckets.items()
    ]


def _point(
    labels: dict[str, str], cumulated: list[tuple[float, float]], total: float, began: int, now: int
) -> HistogramDataPoint:
    counts = [0, *(int(count) for _, count in cumulated)]
    unknown: Any = None  # neither is measured
    return HistogramDataPoint(
        attributes=labels,
        start_time_unix_nano=began,
        time_unix_nano=now,
        count=counts[-1],
        sum=total,
        bucket_counts=[high - low for low, high in pairwise(counts)],
        explicit_bounds=[bound for bound, _ in cumulated[:-1]],
        min=unknown,
        max=unknown,
    )
