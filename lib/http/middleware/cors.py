"""CORS: which browser origins may call, answered for configured origins only."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lib.http.errors import to_response

_METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    "X-CSRF-Token, X-Request-ID"
)
_EXPOSED = "ETag, Location, Retry-After, X-Request-ID"
_MAX_AGE_SECONDS = "300"


def cors(origins: Collection[str]) -> Middleware:
    """Return a middleware for these origins; `*` allows every origin, without credentials."""
    allowed, any_origin = frozenset(origins), "*" in origins

    def headers_for(origin: str) -> dict[str, str]:
        if origin in allowed:
            return {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Credentials": "true",
            }
        return {"Access-Control-Allow-Origin": "*"} if any_origin else {}

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is None:
            return await handler(request)
        headers = headers_for(origin)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: web.StreamResponse = _preflight(headers)
        else:
            response = await _answer(request, handler)
        if not response.prepared:
            response.headers.update(headers)
            # A shared cache must not hand one origin's answer to another.
            response.headers.add("Vary", "Origin")
            response.headers.setdefault("Access-Control-Expose-Headers", _EXPOSED)
        return response

    return middleware


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Render errors here: without the headers a browser hides the error from its page."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - the same door as recovery, one step further in
        return to_response(error)


def _preflight(headers: dict[str, str]) -> web.Response:
    if headers:
        headers["Access-Control-Allow-Methods"] = _METHODS
        headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        headers["Access-Control-Max-Age"] = _MAX_AGE_SECONDS
    return web.Response(status=204)
