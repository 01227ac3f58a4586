"""Trace context: passed on as it came while spans are off, child spans while they are on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lib import trace
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
def test_a_malformed_context_is_replaced_by_one_that_is_not_sampled(inbound: str | None) -> None:
    made = accept(inbound)
    assert accept(made) == made != inbound
    assert made.endswith("-00")


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
