"""One setting sends traces, metrics and logs to a receiver, which decodes the data."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import structlog
from aiohttp import web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from prometheus_client import Counter, Gauge, Histogram

from devstack.testing.wait import eventually
from lib import log
from lib.metrics import Latencies, new_registry
from lib.otlp import exporting
from lib.trace import span, trace_id

REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}


@dataclass
class Receiver:
    """The received data by path, decoded."""

    url: str = ""
    status: int = 200
    received: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in REQUESTS})

    async def take(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        assert request.content_type == "application/x-protobuf"
        raw = await request.read()
        plain = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        self.received[name].append(REQUESTS[name].FromString(plain))
        return web.Response(status=self.status)

    def lines(self) -> list[LogRecord]:
        return [
            record
            for request in self.received["logs"]
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def metrics(self) -> dict[str, Metric]:
        (newest,) = self.received["metrics"][-1].resource_metrics
        return {m.name: m for scope in newest.scope_metrics for m in scope.metrics}


@pytest.fixture
async def receiver(aiohttp_server) -> Receiver:
    running = Receiver()
    app = web.Application()
    app.add_routes([web.post("/v1/{name}", running.take)])
    server = await aiohttp_server(app)
    running.url = f"http://127.0.0.1:{server.port}"
    return running


@pytest.fixture(autouse=True)
async def written() -> AsyncIterator[io.BytesIO]:
    """Return the lines that are written in addition to those sent."""
    before, shortcut = structlog.get_config(), log._shortcut
    stream = io.BytesIO()
    log.configure("shop", stream=stream)
    yield stream
    structlog.configure(**before)
    log._shortcut = shortcut  # else the access lines of later tests go to this stream


def attributes(found: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in found}


async def test_one_endpoint_receives_traces_metrics_and_logs_of_the_same_process(receiver):
    registry = new_registry("shop")
    async with exporting("shop", f"{receiver.url}/"):
        with span("work"):
            inside = trace_id()
            log.get_logger("shop.sales").info("sold", quantity=3)
    assert {name: bool(requests) for name, requests in receiver.received.items()} == {
        "traces": True, "metrics": True, "logs": True,
    }  # fmt: skip
    resources = [
        attributes(resource.resource.attributes)
        for name, part in (("traces", "spans"), ("metrics", "metrics"), ("logs", "logs"))
        for resource in getattr(receiver.received[name][0], f"resource_{part}")
    ]
    assert {resource["service.name"] for resource in resources} == {"shop"}
    assert len({resource["service.instance.id"] for resource in resources}) == 1
    (line,) = receiver.lines()
    assert (line.body.string_value, line.event_name, line.severity_text) == ("sold", "sold", "info")
    assert line.trace_id.hex() == inside
    assert line.time_unix_nano > 0
    found = attributes(line.attributes)
    assert (found["quantity"], found["component"]) == (3, "shop.sales")
    assert "app_build_info" in receiver.metrics()
    assert registry is not None


async def test_metrics_keep_names_labels_and_values(receiver):
    registry = new_registry("shop")
    Counter("sold", "Sold.", ["kind"], registry=registry).labels("tap").inc(4)
    Gauge("waiting", "Wait.", registry=registry).set(7)
    histogram = Histogram("took_seconds", "Took.", buckets=(0.1, 1.0), registry=registry)
    latencies = Latencies("quick_seconds", "Quick.", ["route"], registry)
    for seconds in (0.05, 0.5, 0.6, 5.0):
        histogram.observe(seconds)
        latencies.child("/a").observe(seconds)
    async with exporting("shop", receiver.url, metric_seconds=0.01):
        await eventually(lambda: bool(receiver.received["metrics"]))
    metrics = receiver.metrics()
    sold = metrics["sold_total"].sum
    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    assert (sold.is_monotonic, sold.aggregation_temporality) == (True, cumulative)
    (point,) = sold.data_points
    assert (point.as_double, attributes(point.attributes)) == (4, {"kind": "tap"})
    assert 0 < point.start_time_unix_nano < point.time_unix_nano
    assert metrics["waiting"].gauge.data_points[0].as_double == 7
    (took,) = metrics["took_seconds"].histogram.data_points
    assert [*took.bucket_counts] == [1, 2, 1]
    assert [*took.explicit_bounds] == [0.1, 1.0]
    assert (took.count, took.sum) == (4, pytest.approx(6.15))
    assert not took.HasField("max")
    (quick,) = metrics["quick_seconds"].histogram.data_points
    assert (quick.count, attributes(quick.attributes)) == (4, {"route": "/a"})
    assert not [name for name in metrics if name.endswith(("_created", "_bucket"))]


class Line(log.Line, tag_field="event", tag="request"):
    """A line with declared fields."""

    path: str
    status: int


async def test_lines_of_both_writers_are_sent_masked_and_as_plain_values(receiver):
    async with exporting("shop", receiver.url):
        logger = log.get_logger("shop")
        logger.error("failed", email="jo@example.org", order=UUID(int=1), deep={"token": "x"})
        try:
            raise ValueError("no such user: jo@example.org")
        except ValueError:
            logger.exception("broken")
        log.write_line(logger, "warning", Line("/u/jo@example.org", 404))
    lines = {line.body.string_value: line for line in receiver.lines()}
    assert set(lines) == {"failed", "broken", "request"}
    assert b"jo@example.org" not in b"".join(line.SerializeToString() for line in lines.values())
    assert attributes(lines["failed"].attributes)["order"] == str(UUID(int=1))
    assert "ValueError" in attributes(lines["broken"].attributes)["exception"]
    assert attributes(lines["request"].attributes)["status"] == 404
    assert [lines[event].severity_text for event in ("failed", "request")] == ["error", "warning"]


async def test_an_exporter_s_own_complaints_are_not_sent(receiver):
    receiver.status = 400
    async with exporting("shop", receiver.url, metric_seconds=0.01):
        log.get_logger("shop").info("sold")
        await eventually(lambda: bool(receiver.received["logs"]))
        await eventually(lambda: len(receiver.received["metrics"]) > 2)
    assert {line.body.string_value for line in receiver.lines()} == {"sold"}


async def test_a_collector_that_is_unavailable_costs_no_line(written):
    async with exporting("shop", "http://127.0.0.1:9", metric_seconds=0.01):
        with span("work"):
            log.get_logger("shop").warning("sold")
    assert b'"event":"sold"' in written.getvalue()


async def test_nothing_is_sent_without_an_endpoint_or_after_the_end(receiver):
    async with exporting("shop", None):
        log.get_logger("shop").info("sold")
    async with exporting("shop", receiver.url):
        pass
    log.get_logger("shop").info("late")
    assert receiver.lines() == []
