"""The state of one request, which several parts of the middleware share."""

from __future__ import annotations

from time import perf_counter

from aiohttp import hdrs, web

from lib.http.route import RouteFacts
from lib.limits import Decision
from lib.limits.client_address import TrustedProxies


class Exchange:
    """A request with its route template, client address, start time and the caller's limit.

    `headers` and `method` are copied from the request, because its properties are several times
    slower.
    """

    __slots__ = (
        "began",
        "client",
        "headers",
        "is_long_lived",
        "limit",
        "method",
        "request",
        "route",
    )

    def __init__(self, request: web.Request, facts: RouteFacts, proxies: TrustedProxies) -> None:
        self.began = perf_counter()
        self.request = request
        self.headers = request.headers
        self.method = request.method
        self.limit: Decision | None = None
        self.route = facts.template
        self.is_long_lived = facts.is_long_lived
        self.client = proxies.client(request.remote, self.headers.getall(hdrs.X_FORWARDED_FOR, ()))

    def seconds(self) -> float:
        """Return the elapsed seconds."""
        return perf_counter() - self.began
