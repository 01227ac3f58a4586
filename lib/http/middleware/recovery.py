"""Recovery: whatever is raised further in becomes an answer in the envelope."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from lib.http.errors import to_response


@web.middleware
async def recovery(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn exceptions into responses. The log and the metrics inside have seen them already."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - this is the outermost door, nothing may pass it
        return to_response(error)
