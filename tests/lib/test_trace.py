"""Trace context: passed on unchanged if spans are off, with child spans if they are on."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient, AiohttpServer

from lib import trace
from lib.config import Settings
from lib.db.traced import traced
from lib.http.middleware.stack import MiddlewareStack
from lib.otlp import exporting
from lib.trace import TRACING, Kind, accept, current, inject, span, trace_id

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    TRACING.start("test", SimpleSpanProcessor(kept))
    yield kept
    TRACING.stop()


@pytest.mark.parametrize(
    "inbound",
    [
        None,
        "",
        "x",
        PARENT.upper(),
        PARENT + "-00",
        PARENT.replace("a", "0"),
        PARENT[:-1],
        PARENT.replace("b", "0"),
        "01" + PARENT[2:],
        PARENT + "\n",
    ],
)
def test_a_malformed_context_is_not_passed_on(inbound: str | None) -> None:
    assert accept(inbound) == ""
    assert accept(PARENT) == PARENT


async def test_while_off_the_callers_context_is_passed_on_as_it_came() -> None:
    with span("request", Kind.SERVER, parent={"traceparent": PARENT}), span("inside"):
        headers: dict[str, str] = {}
        inject(headers)
    assert headers == {"traceparent": PARENT}
    assert not TRACING.is_on


async def test_while_on_spans_are_children_and_the_innermost_one_is_passed_on(
    exporter: InMemorySpanExporter,
) -> None:
    with span("request", Kind.SERVER, parent={"traceparent": PARENT}, route="/x"):
        with span("query", Kind.CLIENT):
            sent = current()
        assert trace_id() == "a" * 32
    query, request = exporter.get_finished_spans()
    assert (query.name, request.name) == ("query", "request")
    assert request.parent is not None
    assert query.parent is not None
    assert format(request.parent.span_id, "016x") == "b" * 16
    assert query.parent.span_id == request.context.span_id
    assert sent == f"00-{'a' * 32}-{query.context.span_id:016x}-01"
    assert request.attributes == {"route": "/x"}
    assert request.resource.attributes["service.name"] == "test"


async def test_an_exception_marks_its_span_and_goes_on_its_way(
    exporter: InMemorySpanExporter,
) -> None:
    with pytest.raises(ValueError, match="secret"), span("work"):
        raise ValueError("secret")
    (work,) = exporter.get_finished_spans()
    assert work.status.description == "ValueError"  # the text may hold anything


async def test_outside_of_any_request_nothing_is_sent() -> None:
    headers: dict[str, str] = {}
    trace._passing.set("")
    inject(headers)
    assert headers == {}


async def test_http_sql_and_events_are_one_trace(
    exporter: InMemorySpanExporter, aiohttp_client: AiohttpClient
) -> None:
    sql = "SELECT 1"

    async def handler(request: web.Request) -> web.Response:
        db = traced(FakeDatabase(), {sql: "GetOne"})
        async with db.transaction() as tx:
            await tx.fetchval(sql)
        return web.Response(text=current())

    app = web.Application(middlewares=[MiddlewareStack(Settings(), CollectorRegistry()).serve])
    app.add_routes([web.get("/things/{id}", handler)])
    client = await aiohttp_client(app)
    answer = await client.get("/things/7", headers={"traceparent": PARENT})
    stored = await answer.text()  # what an event written there would carry
    with span("handle", Kind.CONSUMER, parent={"traceparent": stored}):
        pass
    spans = {each.name: each for each in exporter.get_finished_spans()}
    assert list(spans) == ["GetOne", "transaction", "GET /things/{id}", "handle"]
    assert {each.context.trace_id for each in spans.values()} == {int("a" * 32, 16)}
    parents = {name: each.parent.span_id for name, each in spans.items() if each.parent}
    request = spans["GET /things/{id}"].context.span_id
    assert parents["GetOne"] == spans["transaction"].context.span_id
    assert parents["transaction"] == parents["handle"] == request


class FakeDatabase:
    async def fetchval(self, query: str, /, *args: object) -> int:
        return 1

    fetch = fetchrow = execute = fetchval

    @asynccontextmanager
    async def transaction(self, *, isolation: str = "read_committed") -> AsyncIterator[Any]:
        yield self


async def test_spans_reach_a_collector_over_otlp(aiohttp_server: AiohttpServer) -> None:
    received: list[ExportTraceServiceRequest] = []

    async def collect(request: web.Request) -> web.Response:
        raw = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            raw = raw if raw[:2] != b"\x1f\x8b" else gzip.decompress(raw)
        received.append(ExportTraceServiceRequest.FromString(raw))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/v1/traces", collect)])
    server = await aiohttp_server(app)
    async with exporting("shop", f"http://127.0.0.1:{server.port}"):
        with span("work"):
            pass
    spans = [
        each.name
        for request in received
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for each in scope.spans
    ]
    assert spans == ["work"]
    assert not TRACING.is_on


async def test_without_an_endpoint_nothing_is_made() -> None:
    async with exporting("shop", None):
        assert not TRACING.is_on
        db = FakeDatabase()
        assert traced(db, {}) is db  # type: ignore[arg-type] # as much of one as is needed
