"""The middleware stack that wraps every handler, in a fixed order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractContextManager
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from multidict import istr
from prometheus_client import CollectorRegistry

from lib.auth.principal import caller
from lib.config import Settings
from lib.health import Health
from lib.http.errors import status_of, to_response
from lib.http.middleware import access_log, idempotency, read_after
from lib.http.middleware.admission import Admit
from lib.http.middleware.cors import Cors
from lib.http.middleware.deadline import Deadline
from lib.http.middleware.exchange import Exchange
from lib.http.middleware.metrics import RequestMetrics
from lib.http.middleware.trace import span_of
from lib.http.route import RouteFacts
from lib.http.status import CLIENT_CLOSED_REQUEST
from lib.http.whole import add_lines
from lib.limits.client_address import TrustedProxies

_IDEMPOTENCY_KEY: Final = istr(idempotency.HEADER)


class MiddlewareStack:
    """The middleware of an application. The application installs its method `serve`.

    `admit` and `idempotent` are for services that authenticate their callers; both are set when
    their dependencies are open. `proxies` are the trusted proxies, whose headers name the client's
    address.
    """

    def __init__(
        self, settings: Settings, registry: CollectorRegistry, health: Health | None = None
    ) -> None:
        self._health = health or Health("")
        self._cors = Cors(settings.cors_origins)
        self._deadline = deadline = Deadline(settings.request_seconds)
        self._metrics = RequestMetrics(registry, lambda: deadline.in_progress)
        self._routes: dict[web.AbstractRoute, RouteFacts] = {}
        self.proxies = TrustedProxies()
        self.admit: Admit | None = None
        self.idempotent: Middleware | None = None

    @web.middleware
    def serve(self, request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
        """Serve the request. Exceptions become responses and log lines."""
        route = request.match_info.route
        exchange = Exchange(request, self._routes.get(route) or self._add(route), self.proxies)
        work = self._serve(exchange, handler)
        span = span_of(exchange)
        return work if span is None else _in_span(span, work)

    async def _serve(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        # Only browsers name the page that asks.
        from_page = hdrs.ORIGIN in exchange.headers
        try:
            preflight = self._cors.preflight(exchange) if from_page else None
            response = preflight or await self._in_time(exchange, handler)
        except asyncio.CancelledError as error:
            self._failed(exchange, error, CLIENT_CLOSED_REQUEST)
            raise
        except Exception as error:  # noqa: BLE001 - every error becomes a response
            self._failed(exchange, error, status_of(error))
            response = to_response(error)
        else:
            seconds = self._metrics.end(exchange, response.status)
            access_log.answered(exchange, response, seconds)
        if not response.prepared:
            lines = f"X-Request-ID: {exchange.request_id}\r\n"
            if exchange.limit is not None:
                lines += exchange.limit.lines()
            # A response to a signed-in caller is private, unless its handler says otherwise.
            add_lines(response, lines, "private, no-store" if caller.get() is not None else "")
            if exchange.positions.has_written:
                await read_after.add_position(exchange, response)
            if from_page:
                self._cors.allow(exchange, response)
            if self._health.draining:
                response.force_close()  # the last answer of its connection
        return response

    def _failed(self, exchange: Exchange, error: BaseException, status: int) -> None:
        seconds = self._metrics.end(exchange, status)
        access_log.failed(exchange, error, status, seconds)

    def _add(self, route: web.AbstractRoute) -> RouteFacts:
        facts = RouteFacts(route)
        # Addresses that lead nowhere have a route of their own each.
        if route.resource is not None:
            self._routes[route] = facts
        return facts

    async def _in_time(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        """Limit the time. A time-out is raised as `TimeoutError` and becomes a 504."""
        if exchange.is_long_lived:
            return await self._admitted(exchange, handler)
        task = self._deadline.enter(exchange)
        try:
            return await self._admitted(exchange, handler)
        except asyncio.CancelledError:
            if (error := self._deadline.expired(task)) is not None:
                raise error from None
            raise
        finally:
            self._deadline.leave(task)

    async def _admitted(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        """Authenticate and rate-limit the caller. The response reports the remaining limit."""
        request = exchange.request
        limit = None if self.admit is None else await self.admit(exchange)
        if self.idempotent is not None and _IDEMPOTENCY_KEY in exchange.headers:
            response = await self.idempotent(request, handler)
        else:
            response = await handler(request)
        exchange.limit = limit
        return response


async def _in_span(
    span: AbstractContextManager[None], work: Awaitable[web.StreamResponse]
) -> web.StreamResponse:
    with span:
        return await work
