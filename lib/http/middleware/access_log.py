"""The access log: one line per request, written when it ends."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from aiohttp import hdrs, web

from lib.errors import AppError
from lib.http.middleware.exchange import Exchange
from lib.http.route import PROBES
from lib.log import get_logger, write_line

log = get_logger("http")

# What is said of a request besides what is said of each.
Outcome: TypeAlias = dict[str, Any]
DISCONNECTED: Final[Outcome] = {"error": "client disconnected"}


def write(exchange: Exchange, status: int, seconds: float, outcome: Outcome) -> None:
    """Log the request: 5xx as error, 4xx as warning, everything else as info."""
    request = exchange.request
    fields = {
        "component": "http",
        "method": request.method,
        "path": request.rel_url.raw_path,
        "route": exchange.route,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "client_ip": exchange.client,
        "user_agent": request.headers.get(hdrs.USER_AGENT),
        **outcome,
    }
    write_line(log, _level(status, exchange.route), "request", fields)


def answered(response: web.StreamResponse) -> Outcome:
    """Return the log fields of a response: its size, if known before sending."""
    body = response.body if isinstance(response, web.Response) else None
    return {"bytes": len(body) if isinstance(body, bytes) else None}


def failed(error: Exception) -> Outcome:
    """Return the log fields of a failure: its code and cause, or only its type."""
    if isinstance(error, AppError):
        reason = {"code": error.code.value, "error": error.message}
        if error.__cause__ is not None:
            reason["cause"] = repr(error.__cause__)
        return reason
    return {"error": type(error).__name__}


def _level(status: int, route: str) -> str:
    if status >= 500:
        return "error"
    if status >= 400:
        return "warning"
    # Probes come every few seconds for ever and say nothing while they succeed.
    return "debug" if route in PROBES else "info"
