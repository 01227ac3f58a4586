"""CORS: allow calls from pages of the configured origins only."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import hdrs, web

from lib.http.middleware.exchange import Exchange

_METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS = (
    "Accept, Accept-Encoding, Authorization, Cache-Control, Content-Length, Content-Type, "
    "Idempotency-Key, If-Match, If-None-Match, Origin, X-CSRF-Token, X-Read-After, X-Request-ID, "
    "X-Requested-With"
)
_EXPOSED = (
    "ETag, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, "
    "X-Read-After, X-Request-ID"
)
_MAX_AGE_SECONDS = "300"


class Cors:
    """Make the CORS headers for `origins`. `*` allows every origin, but without credentials."""

    def __init__(self, origins: Collection[str]) -> None:
        self._allowed, self._any = frozenset(origins), "*" in origins

    def preflight(self, exchange: Exchange) -> web.Response | None:
        """Return the response to a preflight request, or None for other requests.

        `preflight` and `allow` are for requests with an `Origin`.
        """
        headers = exchange.headers
        if (
            exchange.method != hdrs.METH_OPTIONS
            or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in headers
        ):
            return None
        response = web.Response(status=204)
        if self._headers_for(headers[hdrs.ORIGIN]):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _METHODS
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = _REQUEST_HEADERS
            response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = _MAX_AGE_SECONDS
        return response

    def allow(self, exchange: Exchange, response: web.StreamResponse) -> None:
        """Allow the page to read the response. Otherwise browsers hide even error responses."""
        response.headers.update(self._headers_for(exchange.headers[hdrs.ORIGIN]))
        # A shared cache must not hand one origin's answer to another.
        response.headers.add(hdrs.VARY, "Origin")
        response.headers.setdefault(hdrs.ACCESS_CONTROL_EXPOSE_HEADERS, _EXPOSED)

    def _headers_for(self, origin: str) -> dict[str, str]:
        if origin in self._allowed:
            return {
                hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
                hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS: "true",
            }
        return {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"} if self._any else {}
