"""Export of spans over OTLP/HTTP, for processes that are told where to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lib.trace import TRACING


@asynccontextmanager
async def exporting(service: str, endpoint: str | None) -> AsyncIterator[None]:
    """Make spans and send them to `endpoint`, such as `http://collector:4318`.

    None makes none. A collector that is away costs spans, never requests: they are sent by a thread
    of its own and dropped when they are too many.
    """
    if endpoint is None:
        yield
        return
    # Imported when it is used, as in `lib.trace`.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=2)
    TRACING.start(service, BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    try:
        yield
    finally:
        # It waits for the last export.
        await asyncio.to_thread(TRACING.stop)
