"""Request ID: accept a safe ID from the caller or create a new ID, and return it."""

from __future__ import annotations

from typing import Final

from multidict import istr

from lib import context
from lib.http.middleware.exchange import Exchange

HEADER: Final = istr("X-Request-ID")


def take_up(exchange: Exchange) -> str:
    """Bind the request's ID to the task that handles the request."""
    bound = context.accept_request_id(exchange.headers.get(HEADER))
    context.request_id.set(bound)
    return bound


def line(bound: str) -> str:
    """Return the response's header line with the request ID."""
    return f"X-Request-ID: {bound}\r\n"
