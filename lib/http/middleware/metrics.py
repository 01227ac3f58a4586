"""HTTP metrics by route template, method and status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lib.http.errors import status_of
from lib.http.route import is_long_lived, route_template
from lib.http.status import CLIENT_CLOSED_REQUEST
from lib.metrics import LATENCY_BUCKETS

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_Record = tuple[Callable[[], None], Callable[[float], None]]


def metrics(registry: CollectorRegistry) -> Middleware:
    """Return a middleware that counts and times requests into `registry`.

    `http_requests_total{method,route,status}`, `http_request_duration_seconds{method,route}` and
    `http_requests_in_progress`. Unknown methods and routes are `other`.
    """
    total = Counter(
        "http_requests_total",
        "Requests answered.",
        ("method", "route", "status"),
        registry=registry,
    )
    duration = Histogram(
        "http_request_duration_seconds",
        "Seconds from the parsed request to its answer.",
        ("method", "route"),
        buckets=LATENCY_BUCKETS,
        registry=registry,
    )
    in_progress = Gauge(
        "http_requests_in_progress", "Requests being served right now.", registry=registry
    )
    # Bound children by label: looking one up in the library costs more than counting.
    children: dict[tuple[str, str, int], _Record] = {}

    def record(request: web.Request, status: int, seconds: float) -> None:
        method = request.method if request.method in _METHODS else "other"
        key = (method, route_template(request), status)
        known = children.get(key)
        if known is None:
            counted, timed = total.labels(*key), duration.labels(*key[:2])
            known = children[key] = (counted.inc, timed.observe)
        known[0]()
        if not is_long_lived(request):
            known[1](seconds)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = perf_counter()
        status = 500
        under_way = 0 if is_long_lived(request) else 1
        in_progress.inc(under_way)
        try:
            response = await handler(request)
            status = response.status
        except asyncio.CancelledError:
            status = CLIENT_CLOSED_REQUEST
            raise
        except Exception as error:
            status = status_of(error)
            raise
        else:
            return response
        finally:
            in_progress.dec(under_way)
            record(request, status, perf_counter() - started)

    return middleware
