"""Trace: accept the caller's trace context, and make a span for the request if tracing is on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from multidict import istr

from lib import trace as tracing
from lib.http.middleware.exchange import Exchange

_HEADER: Final = istr(tracing.HEADER)


def span_of(exchange: Exchange) -> AbstractContextManager[None] | None:
    """Return the request's span, or None if tracing is off.

    Calls and events in the span carry its trace context.
    """
    inbound = exchange.headers.get(_HEADER, "")
    if not tracing.TRACING.is_on:
        if inbound:
            tracing.pass_on(inbound)
        return None
    return tracing.span(
        f"{exchange.method} {exchange.route}",
        tracing.Kind.SERVER,
        parent={tracing.HEADER: inbound},
        **{"http.request.method": exchange.method, "http.route": exchange.route},
    )
