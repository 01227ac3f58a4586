"""The state of one request, which several parts of the middleware share."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from aiohttp import hdrs, web
from multidict import istr

from lib import context, positions
from lib.http.route import RouteFacts
from lib.limits import Decision
from lib.limits.client_address import TrustedProxies

_REQUEST_ID: Final = istr(context.REQUEST_ID_HEADER)
_READ_AFTER: Final = istr(positions.HEADER)
_READING: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


class Exchange:
    """A request with its route template, client address, start time and rate limit decision.

    It accepts a safe request ID from the caller or creates one. It binds the ID, the client address
    and the positions of the request to the task that serves the request.

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
        "positions",
        "request",
        "request_id",
        "route",
    )

    def __init__(self, request: web.Request, facts: RouteFacts, proxies: TrustedProxies) -> None:
        self.began = perf_counter()
        self.request = request
        self.headers = headers = request.headers
        self.method = request.method
        self.limit: Decision | None = None
        self.route = facts.template
        self.is_long_lived = facts.is_long_lived
        self.client = proxies.client(request.remote, headers.getall(hdrs.X_FORWARDED_FOR, ()))
        self.request_id = context.accept_request_id(headers.get(_REQUEST_ID))
        # Replicas may serve GET and HEAD requests. A long-lived connection reads from the primary.
        reads = self.method in _READING and not self.is_long_lived
        self.positions = positions.Scope(reads, headers.get(_READ_AFTER))
        context.client.set(self.client)
        context.request_id.set(self.request_id)
        positions.scope.set(self.positions)
