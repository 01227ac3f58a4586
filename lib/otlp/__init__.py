"""Export traces, metrics and logs over OTLP/HTTP, if an endpoint is set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from lib.trace import TRACING

# A collector that does not answer for so long has lost what it was sent.
TIMEOUT_SECONDS: Final = 2
METRIC_SECONDS: Final = 15.0


@asynccontextmanager
async def exporting(
    service: str, endpoint: str | None, *, metric_seconds: float = METRIC_SECONDS
) -> AsyncIterator[None]:
    """Send spans, metrics and log lines to `endpoint`, such as `http://collector:4318`.

    If `endpoint` is None, nothing is sent and no spans are created. If the collector is
    unavailable, its data is lost, but requests continue: threads of OpenTelemetry's SDK send the
    data, and their queues are bounded. The environment variables of the SDK also apply, such as
    `OTEL_EXPORTER_OTLP_HEADERS` for a token.
    """
    if endpoint is None:
        yield
        return
    # Imported when it is used, as in `lib.trace`.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from lib.otlp.logs import sending_logs
    from lib.otlp.metrics import sending_metrics

    base = endpoint.rstrip("/")
    exporter = OTLPSpanExporter(f"{base}/v1/traces", timeout=TIMEOUT_SECONDS)
    async with AsyncExitStack() as stack:
        resource = TRACING.start(service, BatchSpanProcessor(exporter, schedule_delay_millis=1000))
        # Each waits for its last export.
        stack.push_async_callback(asyncio.to_thread, TRACING.stop)
        await stack.enter_async_context(sending_logs(f"{base}/v1/logs", resource))
        await stack.enter_async_context(
            sending_metrics(f"{base}/v1/metrics", resource, seconds=metric_seconds)
        )
        yield
