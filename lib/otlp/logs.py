"""Export masked log lines over OTLP when they are written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from opentelemetry import propagate
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from lib import log, trace

_TIMEOUT_SECONDS: Final = 2
_SEVERITIES: Final = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
# Said by the resource, or by fields of the record's own.
_ELSEWHERE: Final = ("event", "level", "timestamp", "service")


@asynccontextmanager
async def sending_logs(url: str, resource: Resource) -> AsyncIterator[None]:
    """Send every line of `lib.log` while the block runs."""
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPLogExporter(url, timeout=_TIMEOUT_SECONDS)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=1000))
    logger = provider.get_logger("lib.log")

    def send(line: log.Event) -> None:
        # What the exporter itself reports would be sent, fail, and be reported again.
        if not str(line.get("component", "")).startswith("opentelemetry"):
            logger.emit(_record(line))

    log.send_lines(send)
    try:
        yield
    finally:
        log.send_lines(None)
        await asyncio.to_thread(provider.shutdown)


def _record(line: log.Event) -> LogRecord:
    event = str(line.get("event", ""))
    attributes: dict[str, Any] = msgspec.to_builtins(
        {str(k): v for k, v in line.items() if k not in _ELSEWHERE and v is not None},
        enc_hook=repr,
    )
    level = str(line.get("level", "info"))
    return LogRecord(
        timestamp=time.time_ns(),
        context=propagate.extract({trace.HEADER: trace.current()}),
        body=event,
        event_name=event,
        severity_text=level,
        severity_number=_SEVERITIES.get(level, SeverityNumber.INFO),
        attributes=attributes,
    )
