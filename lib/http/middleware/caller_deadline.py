"""The caller's deadline: work that nobody waits for any more is not finished."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from lib import context
from lib.http.route import is_long_lived
from lib.resilience.deadline import HEADER, read_header, within

_LONGEST_SECONDS = 3600.0


@web.middleware
async def caller_deadline(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Serve within what the caller says it waits (`X-Deadline-Ms`), if that is less than ours."""
    if HEADER not in request.headers or is_long_lived(request):
        return await handler(request)
    seconds = context.remaining(read_header(request.headers, limit=_LONGEST_SECONDS))
    async with within(seconds, what="the request"):
        return await handler(request)
