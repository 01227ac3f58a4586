"""Request id: accept a safe inbound one or make one, keep it at hand, echo it."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from multidict import istr

from lib import context

HEADER: Final = istr("X-Request-ID")


def take_up(request: web.Request) -> str:
    """Bind the id for the request's life. Each request is its own task: nothing needs undoing."""
    bound = context.accept_request_id(request.headers.get(HEADER))
    context.request_id.set(bound)
    return bound
