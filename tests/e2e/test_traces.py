"""A running stack with a real OTLP receiver: one trace, and every service's metrics and logs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import aiohttp
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from devstack.settings import service_names
from devstack.testing.wait import eventually


async def test_a_request_that_crosses_services_is_one_trace(stack, collector):
    begin = len(collector.received["traces"])
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    headers = await asyncio.to_thread(stack.authorized)
    headers |= {"traceparent": f"00-{trace}-{caller}-01"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{stack.url}/api/users/v1/users", headers=headers) as answer,
    ):
        assert answer.status == 200

    def spans() -> Iterator[tuple[str, Span]]:
        for raw in collector.received["traces"][begin:]:
            export = ExportTraceServiceRequest.FromString(raw)
            for resource in export.resource_spans:
                name = {a.key: a.value.string_value for a in resource.resource.attributes}
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        if span.trace_id.hex() == trace:
                            yield name["service.name"], span

    def is_whole() -> bool:
        found = [span for _, span in spans()]
        known = {span.span_id.hex() for span in found} | {caller}
        kinds = {(name, span.kind) for name, span in spans()}
        both = {("user", Span.SPAN_KIND_SERVER), ("point", Span.SPAN_KIND_SERVER)}
        return both <= kinds and all(span.parent_span_id.hex() in known for span in found)

    await eventually(is_whole)
    by_id = {span.span_id: (name, span) for name, span in spans()}
    ((_, asked),) = ((n, s) for n, s in by_id.values() if s.parent_span_id.hex() == caller)
    assert asked.name == "GET /api/v1/users"
    (remote,) = (s for n, s in by_id.values() if n == "point" and s.kind == Span.SPAN_KIND_SERVER)
    above = remote
    path = []
    while above.parent_span_id in by_id:
        name, above = by_id[above.parent_span_id]
        path.append(name)
    assert above == asked
    assert set(path) == {"user"}
    # Statements are in it by their names, on both sides.
    assert {name for name, span in by_id.values() if span.kind == Span.SPAN_KIND_CLIENT} == {
        "user", "point",
    }  # fmt: skip


async def test_every_service_sends_metrics_and_logs_by_the_same_setting(stack, collector):
    def names(kind: str, request: Any) -> set[str]:
        found = set()
        for raw in collector.received[kind]:
            export = request.FromString(raw)
            for resource in getattr(export, f"resource_{kind}"):
                described = {a.key: a.value.string_value for a in resource.resource.attributes}
                found.add(described["service.name"])
        return found

    def is_whole() -> bool:
        return (
            names("metrics", ExportMetricsServiceRequest)
            == names("logs", ExportLogsServiceRequest)
            == set(service_names())
        )

    await eventually(is_whole)
