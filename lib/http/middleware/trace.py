"""Trace: accept the caller's trace context, and make a span for the request if tracing is on."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from multidict import istr

from lib import trace as tracing
from lib.http.middleware.exchange import Exchange

_HEADER: Final = istr(tracing.HEADER)
_NO_SPAN: Final = nullcontext()


def in_span(exchange: Exchange) -> AbstractContextManager[None]:
    """Return the request's span. Calls and events within it carry the context."""
    request, route = exchange.request, exchange.route
    inbound = request.headers.get(_HEADER, "")
    if not tracing.TRACING.is_on:
        if inbound:
            tracing.pass_on(inbound)
        return _NO_SPAN
    return tracing.span(
        f"{request.method} {route}",
        tracing.Kind.SERVER,
        parent={tracing.HEADER: inbound},
        **{"http.request.method": request.method, "http.route": route},
    )
