"""Metrics of a consumer: handled events and backlog."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lib.events.broker import Backlog
from lib.metrics import LATENCY_BUCKETS


class ConsumerMetrics:
    """The metrics `events_*{group, topic}` of a consumer. Create one instance per registry."""

    def __init__(self, registry: CollectorRegistry, group: str) -> None:
        self._group = group
        self._handled = Counter(
            "events_handled_total",
            "Delivered events by outcome.",
            ("group", "topic", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "events_handle_seconds",
            "Seconds from the delivery of an event to the end of its handling.",
            ("group", "topic"),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._lag = Gauge(
            "events_lag",
            "Events in the stream not yet delivered to the group.",
            ("group", "topic"),
            registry=registry,
        )
        self._pending = Gauge(
            "events_pending",
            "Events delivered to the group and not finished.",
            ("group", "topic"),
            registry=registry,
        )
        self._dead = Gauge(
            "events_dead_letters",
            "Events that could not be handled and wait for an operator.",
            ("topic",),
            registry=registry,
        )

    def observe(self, topic: str, outcome: str, seconds: float) -> None:
        """Count one delivery."""
        self._handled.labels(self._group, topic, outcome).inc()
        self._seconds.labels(self._group, topic).observe(seconds)

    def measure(self, topic: str, backlog: Backlog) -> None:
        """Set the gauges."""
        self._lag.labels(self._group, topic).set(backlog.lag)
        self._pending.labels(self._group, topic).set(backlog.pending)
        self._dead.labels(topic).set(backlog.dead)
