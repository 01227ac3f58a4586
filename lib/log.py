"""Structured logging: one JSON object per line, with the request ID and masked personal data."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from time import time_ns
from typing import Any, BinaryIO

import msgspec
import structlog
from msgspec import UNSET, UnsetType

from lib import context, trace
from lib.config import LogFormat, LogLevel

Event = MutableMapping[str, Any]

MASK = "***"
# A key is sensitive where one of these is its last word: `password`, `to_email`, `api_token`.
_SENSITIVE = re.compile(
    r"(?:^|_)(?:password|passwd|secret|token|authorization|cookie|api_key|personal_id|phone|salary|email)$",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+\-]+@[\w\-]+\.[\w.\-]+")
_SENSITIVE_KEYS: dict[str, bool] = {}

_LEVELS = {
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
}
_SEVERITY: dict[str, int] = {level.value: number for level, number in _LEVELS.items()}
_FLUSH_SECONDS = 0.05


def configure(
    service: str,
    *,
    level: LogLevel = LogLevel.INFO,
    fmt: LogFormat = LogFormat.JSON,
    environment: str = "development",
    stream: BinaryIO | None = None,
) -> None:
    """Send structlog's and the standard library's log lines to `stream`, or to standard output.

    Every line has `service`, `environment`, `level` and `timestamp` (ISO 8601, UTC). During a
    request, a line also has `request_id`, `trace_id` if the request is traced, and `principal`
    after authentication.
    """
    envelope = _Envelope(service, environment)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        envelope,
        structlog.processors.format_exc_info,
        exceptions_in_words,
        mask_personal_data,
        _send,
    ]
    out = stream or sys.stdout.buffer
    global _shortcut  # noqa: PLW0603 - logging is configured once per process
    _shortcut = _Shortcut(envelope, _LEVELS[level], out) if fmt is LogFormat.JSON else None
    structlog.configure(
        processors=[*shared, _renderer(fmt)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(file=out),
        # Putting a logger together costs a third of a line.
        cache_logger_on_first_use=True,
    )
    _adopt_standard_logging(_LEVELS[level])


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger whose lines have `component=name`."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(component=name)
    return logger


class Line(msgspec.Struct, kw_only=True, gc=False):
    """A log line with declared fields, at a third of the cost of a dict of fields.

    A subclass defines its event (`tag_field="event", tag="request"`), its component and its own
    fields. `write_line` sets the fields of this class.
    """

    service: str | UnsetType = UNSET
    environment: str | UnsetType = UNSET
    level: str | UnsetType = UNSET
    timestamp: datetime | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    trace_id: str | UnsetType = UNSET
    principal: str | UnsetType = UNSET

    def fields(self) -> Event:
        """Return the line as a dict: the event and the fields that are set."""
        named: Event = msgspec.to_builtins(self)
        return named


def write_line(logger: structlog.typing.FilteringBoundLogger, level: str, line: Line) -> None:
    """Write one line in the format of `logger`, but faster, because every request writes a line.

    Use it only in a running event loop and only with keys that are not sensitive. It does not add
    the values that structlog has bound to the context, because reading them takes a third of the
    time of a line.
    """
    if _shortcut is None:
        getattr(logger, level)(**line.fields())
    else:
        _shortcut.write(level, line)


def send_lines(send: Callable[[Event], None] | None) -> None:
    """Pass every masked line to `send` too; `send` must not block or raise.

    If `send` is None, lines are not passed on any more.
    """
    global _sender  # noqa: PLW0603 - one per process, as the configuration is
    _sender = send


def exceptions_in_words(_logger: object, _method: str, event: Event) -> Event:
    """Log an exception as its class and message, because redis-py's `repr` lacks the message."""
    for key, value in event.items():
        if isinstance(value, BaseException):
            event[key] = f"{type(value).__name__}: {value}".removesuffix(": ")
    return event


def mask_personal_data(_logger: object, _method: str, event: Event) -> Event:
    """Mask values of sensitive keys, and email addresses in all other text."""
    for key, value in event.items():
        if _is_sensitive(str(key)):
            event[key] = MASK
        elif isinstance(value, str):
            if "@" in value:
                event[key] = _EMAIL.sub(MASK, value)
        elif isinstance(value, dict):
            event[key] = mask_personal_data(None, "", dict(value))
    return event


def _send(_logger: object, _method: str, event: Event) -> Event:
    if _sender is not None:
        _sender(event)
    return event


def _is_sensitive(key: str) -> bool:
    # Keys are constants in the code, so the table stays small.
    known = _SENSITIVE_KEYS.get(key)
    if known is None:
        known = _SENSITIVE.search(key) is not None
        if len(_SENSITIVE_KEYS) < 10_000:
            _SENSITIVE_KEYS[key] = known
    return known


class _Envelope:
    """Add the common fields of a line: component, source, time, level and request.

    It is one step instead of five steps of the library, because it runs for every request.
    """

    def __init__(self, service: str, environment: str) -> None:
        self._service, self._environment = service, environment
        self._second = 0
        self._prefix = ""

    def __call__(self, _logger: object, method: str, event: Event) -> Event:
        event["service"], event["environment"] = self._service, self._environment
        event["level"] = method
        now = time_ns() // 1000
        if now // 1_000_000 != self._second:
            self._second = now // 1_000_000
            moment = datetime.fromtimestamp(self._second, UTC)
            self._prefix = moment.strftime("%Y-%m-%dT%H:%M:%S.")
        event["timestamp"] = f"{self._prefix}{now % 1_000_000:06}Z"
        bound = context.request_id.get()
        if bound:
            event.setdefault("request_id", bound)
        if traced := trace.trace_id():
            event.setdefault("trace_id", traced)
        caller = context.principal.get()
        if caller:
            event.setdefault("principal", caller)
        return event

    def complete(self, line: Line, level: str) -> None:
        """Set the common fields of a line."""
        line.service, line.environment = self._service, self._environment
        line.level = level
        now = datetime.now(UTC)
        # Without a fraction, the encoder would leave out its digits.
        line.timestamp = now if now.microsecond else now.replace(microsecond=1)
        if bound := context.request_id.get():
            line.request_id = bound
        if traced := trace.trace_id():
            line.trace_id = traced
        if caller := context.principal.get():
            line.principal = caller


class _Shortcut:
    """A faster way to write a line, without the logger's machinery and a flush per line.

    Lines wait in the stream's buffer for at most `_FLUSH_SECONDS`; warnings and errors do not wait.
    """

    def __init__(self, envelope: _Envelope, level: int, out: BinaryIO) -> None:
        self._envelope = envelope
        self._level = level
        self._out = out
        self._flush_is_due = False

    def write(self, level: str, line: Line) -> None:
        severity = _SEVERITY[level]
        if severity < self._level:
            return
        self._envelope.complete(line, level)
        text = _rendered(line)
        if text.find(b"@") >= 0 or _sender is not None:
            # An address, perhaps: looking at each field of each line costs more than the line.
            fields = mask_personal_data(None, level, line.fields())
            text = _json_renderer(None, level, fields)
            if _sender is not None:
                _sender(fields)
        self._out.write(text + b"\n")
        if severity >= logging.WARNING:
            self._out.flush()
        elif not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        self._out.flush()


_shortcut: _Shortcut | None = None
_sender: Callable[[Event], None] | None = None


def _renderer(fmt: LogFormat) -> structlog.typing.Processor:
    if fmt is LogFormat.JSON:
        return _json_renderer
    console = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())

    def render(logger: Any, method: str, event: Event) -> bytes:
        return console(logger, method, event).encode()

    return render


_encode = msgspec.json.Encoder(enc_hook=repr, decimal_format="string").encode


def _rendered(line: Line) -> bytes:
    try:
        return _encode(line)
    except UnicodeEncodeError:  # a lone surrogate
        return _json_renderer(None, "", line.fields())


def _json_renderer(_logger: object, _method: str, event: Event) -> bytes:
    try:
        return _encode(event)
    except (UnicodeEncodeError, TypeError, ValueError):
        # A lone surrogate or an odd key must not lose the line, whatever it says.
        return _encode(
            {str(k).encode("utf-8", "replace").decode(): ascii(v) for k, v in event.items()}
        )


class _ToStructlog(logging.Handler):
    """Pass the standard library's records to structlog, so that all lines have one format."""

    def emit(self, record: logging.LogRecord) -> None:
        # A library that continues after a failure needs one line; a traceback is for bugs.
        failure = record.exc_info[1] if record.exc_info else None
        more = {"error": failure} if failure and record.levelno < logging.ERROR else {}
        try:
            structlog.get_logger(component=record.name).log(
                record.levelno,
                record.getMessage(),
                exc_info=None if more else record.exc_info,
                **more,
            )
        except Exception:  # noqa: BLE001 - logging must never break its caller; the library reports it
            self.handleError(record)


def _adopt_standard_logging(level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog()]
    root.setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)
