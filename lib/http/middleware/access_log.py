"""Access log: one canonical line per request, written when it ends, however it ends."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from lib.errors import AppError
from lib.http.errors import status_of
from lib.http.route import PROBES, route_template
from lib.http.status import CLIENT_CLOSED_REQUEST
from lib.log import get_logger, write_line

log = get_logger("http")


@web.middleware
async def access_log(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log the request: 5xx as error, 4xx as warning, everything else as info."""
    started = perf_counter()
    try:
        response = await handler(request)
    except asyncio.CancelledError:
        _write(request, CLIENT_CLOSED_REQUEST, started, {"error": "client disconnected"})
        raise
    except Exception as error:
        _write(request, status_of(error), started, _reason(error))
        raise
    _write(request, response.status, started, {"bytes": _size(response)})
    return response


def _write(request: web.Request, status: int, started: float, extra: dict[str, Any]) -> None:
    route = route_template(request)
    fields = {
        "component": "http",
        "method": request.method,
        "path": request.rel_url.raw_path,
        "route": route,
        "status": status,
        "duration_ms": round((perf_counter() - started) * 1000, 3),
        "client_ip": request.remote,
        "user_agent": request.headers.get("User-Agent"),
        **extra,
    }
    write_line(log, _level(status, route), "request", fields)


def _level(status: int, route: str) -> str:
    if status >= 500:
        return "error"
    if status >= 400:
        return "warning"
    # Probes come every few seconds for ever and say nothing while they succeed.
    return "debug" if route in PROBES else "info"


def _size(response: web.StreamResponse) -> int | None:
    body = response.body if isinstance(response, web.Response) else None
    return len(body) if isinstance(body, bytes) else None


def _reason(error: Exception) -> dict[str, Any]:
    if isinstance(error, AppError):
        reason = {"code": error.code.value, "error": error.message}
        if error.__cause__ is not None:
            reason["cause"] = repr(error.__cause__)
        return reason
    return {"error": type(error).__name__}
