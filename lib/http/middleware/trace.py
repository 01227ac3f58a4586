"""Trace: take up the caller's trace context; a span for the request where spans are made."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from lib import trace as tracing
from lib.http.route import route_template


@web.middleware
async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Serve the request inside its span; what it calls and writes carries the context on."""
    inbound = request.headers.get(tracing.HEADER, "")
    if not tracing.TRACING.is_on:
        tracing.pass_on(inbound)
        return await handler(request)
    route = route_template(request)
    with tracing.span(
        f"{request.method} {route}",
        tracing.Kind.SERVER,
        parent={tracing.HEADER: inbound},
        **{"http.request.method": request.method, "http.route": route},
    ):
        return await handler(request)
