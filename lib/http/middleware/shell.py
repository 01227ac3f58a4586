"""The middleware stack that wraps every handler, in a fixed order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractContextManager
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import istr
from prometheus_client import CollectorRegistry

from lib import context
from lib.auth.principal import current_principal
from lib.config import Settings
from lib.health import Health
from lib.http.errors import status_of, to_response
from lib.http.middleware import access_log, idempotency, read_after, request_id
from lib.http.middleware.admission import Admit
from lib.http.middleware.caller_deadline import waits_less
from lib.http.middleware.cors import Cors
from lib.http.middleware.deadline import Deadline
from lib.http.middleware.exchange import Exchange
from lib.http.middleware.metrics import RequestMetrics
from lib.http.middleware.trace import span_of
from lib.http.route import RouteFacts
from lib.http.status import CLIENT_CLOSED_REQUEST
from lib.http.whole import add_lines, has_header
from lib.limits.client_address import TrustedProxies
from lib.positions import Scope

_IDEMPOTENCY_KEY: Final = istr(idempotency.HEADER)


class Shell:
    """The middleware of an application, which the application installs as `serve`.

    `admit` and `idempotent` are for services that authenticate their callers; both are set when
    their dependencies are open. `proxies` are the trusted proxies, whose headers name the client's
    address.
    """

    def __init__(
        self, settings: Settings, registry: CollectorRegistry, health: Health | None = None
    ) -> None:
        self._health = health or Health("")
        self._cors = Cors(settings.cors_origins)
        self._deadline = Deadline(settings.request_seconds)
        self._metrics = RequestMetrics(registry)
        self._routes: dict[web.AbstractRoute, RouteFacts] = {}
        self.proxies = TrustedProxies()
        self.admit: Admit | None = None
        self.idempotent: Middleware | None = None

    @web.middleware
    def serve(self, request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
        """Serve the request. Exceptions become responses and log lines."""
        route = request.match_info.route
        exchange = Exchange(request, self._routes.get(route) or self._add(route), self.proxies)
        context.client.set(exchange.client)
        scope = read_after.enter(exchange)
        work = self._serve(exchange, request_id.take_up(exchange), scope, handler)
        span = span_of(exchange)
        return work if span is None else _in_span(span, work)

    async def _serve(
        self, exchange: Exchange, bound: str, scope: Scope, handler: Handler
    ) -> web.StreamResponse:
        self._metrics.begin(exchange)
        try:
            response = self._cors.preflight(exchange) or await self._in_time(exchange, handler)
        except asyncio.CancelledError as error:
            self._failed(exchange, error, CLIENT_CLOSED_REQUEST)
            raise
        except Exception as error:  # noqa: BLE001 - this is the outermost door, nothing may pass it
            self._failed(exchange, error, status_of(error))
            response = to_response(error)
        else:
            seconds = exchange.seconds()
            self._metrics.end(exchange, response.status, seconds)
            access_log.answered(exchange, response, seconds)
        if not response.prepared:
            add_lines(response, self._lines(exchange, bound, response))
            if scope.has_written:
                await read_after.add_position(scope, response)
            self._cors.allow(exchange, response)
            if self._health.draining:
                response.force_close()  # the last answer of its connection
        return response

    def _lines(self, exchange: Exchange, bound: str, response: web.StreamResponse) -> str:
        lines = request_id.line(bound)
        if exchange.limit is not None:
            lines += exchange.limit.lines()
        # A response to a signed-in caller is private, unless its handler says otherwise.
        if current_principal() is not None and not has_header(response, "Cache-Control"):
            lines += "Cache-Control: private, no-store\r\n"
        return lines

    def _failed(self, exchange: Exchange, error: BaseException, status: int) -> None:
        seconds = exchange.seconds()
        self._metrics.end(exchange, status, seconds)
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
        task = self._deadline.enter()
        try:
            callers = waits_less(exchange)
            if callers is None:
                return await self._admitted(exchange, handler)
            async with callers:
                return await self._admitted(exchange, handler)
        except asyncio.CancelledError:
            if self._deadline.has_expired(task):
                raise TimeoutError from None
            raise
        finally:
            self._deadline.leave(task)

    async def _admitted(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        """Admit the caller. The response will report the remaining rate limit."""
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
