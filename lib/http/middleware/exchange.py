"""State of one request that several middleware parts share."""

from __future__ import annotations

from time import perf_counter

from aiohttp import hdrs, web

from lib.http.route import is_long_lived, route_template
from lib.limits.client_address import TrustedProxies


class Exchange:
    """A request with its route template, client address and start time."""

    __slots__ = ("began", "client", "is_long_lived", "request", "route")

    def __init__(self, request: web.Request, proxies: TrustedProxies) -> None:
        self.began = perf_counter()
        self.request = request
        self.route = route_template(request)
        self.is_long_lived = is_long_lived(request)
        self.client = proxies.client(
            request.remote, request.headers.getall(hdrs.X_FORWARDED_FOR, ())
        )

    def seconds(self) -> float:
        """Return the elapsed seconds."""
        return perf_counter() - self.began
