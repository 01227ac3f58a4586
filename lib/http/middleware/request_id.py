"""Request id: accept a safe inbound one or make one, keep it at hand, echo it."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from lib import context

HEADER = "X-Request-ID"


@web.middleware
async def request_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Bind the id for the request's life. Each request is its own task: nothing needs undoing."""
    bound = context.accept_request_id(request.headers.get(HEADER))
    context.request_id.set(bound)
    response = await handler(request)
    if not response.prepared:
        response.headers[HEADER] = bound
    return response
