"""Notes from where a request comes, for the throttles and the audit trail."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lib.limits.client_address import TrustedProxies
from services.user.origin import client_address


def note_origin(proxies: TrustedProxies) -> Middleware:
    """Return a middleware that sets `client_address`, as far as `proxies` vouch for it."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        forwarded = request.headers.getall("X-Forwarded-For", ())
        client_address.set(proxies.client(request.remote, forwarded))
        return await handler(request)

    return middleware
