"""The access log: one line per request, written when it ends."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import hdrs, web
from msgspec import UNSET, UnsetType

from lib.errors import AppError
from lib.http.middleware.exchange import Exchange
from lib.http.route import PROBES
from lib.log import Line, get_logger, write_line

_COMPONENT: Final = "http"
log = get_logger(_COMPONENT)


class RequestLine(Line, tag_field="event", tag="request", gc=False):
    """The log line of a request. A failed request has an error instead of a body size."""

    method: str
    path: str
    route: str
    status: int
    duration_ms: float
    client_ip: str
    user_agent: str | None
    component: str = _COMPONENT
    bytes: int | UnsetType | None = UNSET
    code: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    cause: str | UnsetType = UNSET


def answered(exchange: Exchange, response: web.StreamResponse, seconds: float) -> None:
    """Log a request and, if it is known before sending, the size of the response."""
    line = _line(exchange, response.status, seconds)
    # Not `isinstance`: for these classes it costs as much as a quarter of the line.
    body = getattr(response, "body", None)
    line.bytes = len(body) if isinstance(body, bytes) else None
    _write(exchange, line)


def failed(exchange: Exchange, error: BaseException, status: int, seconds: float) -> None:
    """Log a request with its error: the code, message and cause of an AppError, else its type."""
    line = _line(exchange, status, seconds)
    if isinstance(error, AppError):
        line.code, line.error = error.code.value, error.message
        if error.__cause__ is not None:
            line.cause = repr(error.__cause__)
    elif isinstance(error, asyncio.CancelledError):
        line.error = "client disconnected"
    else:
        line.error = type(error).__name__
    _write(exchange, line)


def _line(exchange: Exchange, status: int, seconds: float) -> RequestLine:
    return RequestLine(
        exchange.method,
        exchange.request.rel_url.raw_path,
        exchange.route,
        status,
        # Not `round`, which costs three times as much.
        int(seconds * 1e6 + 0.5) / 1000,
        exchange.client,
        exchange.headers.get(hdrs.USER_AGENT),
    )


def _write(exchange: Exchange, line: RequestLine) -> None:
    """Write 5xx as error, 4xx as warning, everything else as info."""
    if line.status >= 500:
        level = "error"
    elif line.status >= 400:
        level = "warning"
    else:
        # Probes come every few seconds for ever and say nothing while they succeed.
        level = "debug" if exchange.route in PROBES else "info"
    write_line(log, level, line)
