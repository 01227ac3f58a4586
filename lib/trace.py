"""Tracing: W3C trace context is always passed on, and spans are made if enabled."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from lib.metrics import app_version

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

HEADER: Final = "traceparent"
_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
# The caller's context as it came: passed on as it is while no spans are made here.
_passing: Final[ContextVar[str]] = ContextVar("traceparent", default="")


class Kind(StrEnum):
    """The kind of a span."""

    SERVER = "server"
    CLIENT = "client"
    CONSUMER = "consumer"
    INTERNAL = "internal"


_KINDS: Final = {kind: SpanKind[kind.name] for kind in Kind}


class Tracing:
    """Make spans if tracing is enabled. A process has one instance."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer | None = None
        self.is_on = False  # whether spans are made

    def start(self, service: str, processor: SpanProcessor) -> Resource:
        """Start making spans and pass them to `processor`.

        Return the `Resource`, which describes this process to OpenTelemetry.
        """
        # Imported when it is used: most processes make no spans, and it takes its time to load.
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        resource = Resource.create(
            {
                "service.name": service,
                "service.version": app_version(),
                "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
            }
        )
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("lib.trace")
        self.is_on = True
        return resource

    def stop(self) -> None:
        """Export the remaining spans and stop. Blocks up to the exporter's time-out."""
        provider, self._provider, self._tracer = self._provider, None, None
        self.is_on = False
        if provider is not None:
            provider.shutdown()

    @contextmanager
    def span(
        self,
        name: str,
        kind: Kind = Kind.INTERNAL,
        *,
        parent: Mapping[str, str] | None = None,
        **attributes: str | float | bool,
    ) -> Iterator[None]:
        """Make a span for a block. Its parent is the surrounding span.

        For work from outside, `parent` is the source of its trace context: headers, or the fields
        of an event. An exception marks the span as failed and is raised again.
        """
        if parent is not None:
            pass_on(parent.get(HEADER))
        if self._tracer is None:
            yield
            return
        with self._tracer.start_as_current_span(
            name,
            context=_context(),
            kind=_KINDS[kind],
            attributes=attributes,
            record_exception=False,  # the log has it, under the same trace id
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


TRACING: Final = Tracing()
span = TRACING.span


def accept(inbound: str | None) -> str:
    """Return the caller's `traceparent` if valid, else an empty text."""
    found = _TRACEPARENT.fullmatch(inbound) if inbound else None
    if found is None or set(found[1]) == {"0"} or set(found[2]) == {"0"}:
        return ""
    return found[0]


def pass_on(inbound: str | None) -> None:
    """Pass the caller's valid context on to the calls and events of this task."""
    _passing.set(accept(inbound))


def current() -> str:
    """Return the `traceparent` for a call or event, or empty text outside of a trace."""
    if TRACING.is_on:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        if HEADER in carrier:
            return carrier[HEADER]
    return _passing.get()


def trace_id() -> str:
    """Return the trace ID for a log line, or empty text outside of a trace."""
    return (current() if TRACING.is_on else _passing.get())[3:35]


def inject(headers: MutableMapping[str, str]) -> None:
    """Add the context to the headers for an upstream."""
    value = current()
    if value:
        headers[HEADER] = value


@contextmanager
def outgoing(name: str, headers: MutableMapping[str, str]) -> Iterator[None]:
    """Time a call to an upstream, and add the context of its span to the headers of the call."""
    if not TRACING.is_on:
        inject(headers)
        yield
        return
    with span(name, Kind.CLIENT):
        inject(headers)
        yield


def _context() -> Context | None:
    """Return the current local context if a span is open, or else the caller's remote context."""
    if trace.get_current_span().get_span_context().is_valid:
        return None
    return propagate.extract({HEADER: _passing.get()})
