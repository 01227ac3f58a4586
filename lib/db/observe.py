"""Metrics of a database: how long each query takes, how busy the pool is, when TLS will fail."""

from __future__ import annotations

import ssl
from asyncio import BaseTransport
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lib.metrics import Latencies


class Timings:
    """`db_query_duration_seconds{query}`: from asking for a connection to having the result."""

    def __init__(self, registry: CollectorRegistry, names: Mapping[str, str]) -> None:
        latencies = Latencies(
            "db_query_duration_seconds",
            "Seconds from asking the pool for a connection to the result of the query.",
            ("query",),
            registry,
        )
        self._observe = {sql: latencies.child(name).observe for sql, name in names.items()}
        self._other = latencies.child("other").observe

    def observe(self, query: str, seconds: float) -> None:
        """Record one execution of `query`, under `other` where it has no name."""
        self._observe.get(query, self._other)(seconds)


class PoolState(Collector):
    """`db_pool_connections{state}`: the open connections by what they do, and their limit."""

    def __init__(self, pool: Any, registry: CollectorRegistry) -> None:
        self._pool = pool
        registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read the pool when it is asked: nothing is counted on the way."""
        idle, size = self._pool.get_idle_size(), self._pool.get_size()
        gauge = GaugeMetricFamily(
            "db_pool_connections", "Connections of the database pool by state.", labels=("state",)
        )
        for state, value in (
            ("idle", idle),
            ("used", size - idle),
            ("max", self._pool.get_max_size()),
        ):
            gauge.add_metric((state,), value)
        yield gauge


class ServerCertificate(Collector):
    """`db_server_certificate_expiry_timestamp_seconds`: the end of what the server last showed.

    Without TLS, and where nobody verifies the server, there is no value: nothing will fail.
    """

    def __init__(self) -> None:
        self._ends: float | None = None

    def look(self, transport: BaseTransport) -> None:
        """Note the certificate of a connection that was just opened."""
        tls = transport.get_extra_info("ssl_object")
        shown = tls.getpeercert() if tls is not None else None
        self._ends = ssl.cert_time_to_seconds(shown["notAfter"]) if shown else None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Tell what was last seen."""
        gauge = GaugeMetricFamily(
            "db_server_certificate_expiry_timestamp_seconds",
            "When the certificate ends that the database server showed last.",
        )
        if self._ends is not None:
            gauge.add_metric((), self._ends)
        yield gauge
