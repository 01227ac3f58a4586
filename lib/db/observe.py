"""Metrics of a database: query durations, pool usage and certificate expiry."""

from __future__ import annotations

import ssl
from asyncio import BaseTransport
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lib.db.query_names import found_by_text
from lib.metrics import Durations, Latencies


class Timings(dict[str, Durations]):
    """The metric `db_query_duration_seconds{query}`: the time until a query's result.

    On PostgreSQL, the time of a query outside a transaction includes the wait for a connection.

    The durations of a query are found by the query's text. All queries without a name share the
    name `other`. A `:copyfrom` has no text, so its label is `copy` and the name of its table.
    """

    def __init__(self, registry: CollectorRegistry, names: Mapping[str, str]) -> None:
        self._latencies = latencies = Latencies(
            "db_query_duration_seconds",
            "Seconds until the result of a query. On PostgreSQL, a query outside a transaction "
            "includes the wait for a connection.",
            ("query",),
            registry,
        )
        super().__init__({sql: latencies.child(name) for sql, name in names.items()})
        self._other = latencies.child("other")

    def name_copy(self, head: str, table: str) -> None:
        """Set the label of the INSERT that begins with `head` to `copy` and the table's name."""
        if head not in self:
            self[head] = self._latencies.child(f"copy {table}")

    def __missing__(self, query: str) -> Durations:
        return found_by_text(self, query) or self._other


class PoolState(Collector):
    """The metric `db_pool_connections{state}`: open connections by state, and the limit."""

    def __init__(self, pool: Any, registry: CollectorRegistry) -> None:
        self._pool = pool
        registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield the numbers of connections, which are read from the pool at each scrape."""
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
    """A metric: the expiry time of the certificate that the database server sent most recently.

    The metric has no value without TLS or without verification, because an expired certificate
    would cause no failure.
    """

    def __init__(self) -> None:
        self._ends: float | None = None

    def look(self, transport: BaseTransport) -> None:
        """Record the certificate of a new connection."""
        tls = transport.get_extra_info("ssl_object")
        shown = tls.getpeercert() if tls is not None else None
        self._ends = ssl.cert_time_to_seconds(shown["notAfter"]) if shown else None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield the recorded expiry time as a metric."""
        gauge = GaugeMetricFamily(
            "db_server_certificate_expiry_timestamp_seconds",
            "Time when the certificate of the database server expires.",
        )
        if self._ends is not None:
            gauge.add_metric((), self._ends)
        yield gauge
