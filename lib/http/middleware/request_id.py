"""Request ID: accept a safe one from the caller or create one, and return it."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from multidict import istr

from lib import context

HEADER: Final = istr("X-Request-ID")


def take_up(request: web.Request) -> str:
    """Bind the ID for the request's task."""
    bound = context.accept_request_id(request.headers.get(HEADER))
    context.request_id.set(bound)
    return bound
