"""The middleware stack that wraps every handler, in a fixed order."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
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
from lib.http.middleware.trace import in_span
from lib.http.status import CLIENT_CLOSED_REQUEST
from lib.limits.client_address import TrustedProxies


class Shell:
    """An application's middleware. `serve` is the outermost one that a service adds.

    `admit` and `idempotent` are for services with callers of their own, set when what they need is
    open; `proxies` are believed about addresses.
    """

    def __init__(
        self, settings: Settings, registry: CollectorRegistry, health: Health | None = None
    ) -> None:
        self._health = health or Health("")
        self._cors = Cors(settings.cors_origins)
        self._deadline = Deadline(settings.request_seconds)
        self._metrics = RequestMetrics(registry)
        self.proxies = TrustedProxies()
        self.admit: Admit | None = None
        self.idempotent: Middleware | None = None

    @web.middleware
    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve the request. Exceptions become responses and log lines."""
        exchange = Exchange(request, self.proxies)
        bound = request_id.take_up(request)
        context.client.set(exchange.client)
        scope = read_after.enter(exchange)
        with in_span(exchange):
            self._metrics.begin(exchange)
            try:
                response = self._cors.preflight(request) or await self._in_time(exchange, handler)
            except asyncio.CancelledError:
                self._end(exchange, CLIENT_CLOSED_REQUEST, access_log.DISCONNECTED)
                raise
            except Exception as error:  # noqa: BLE001 - this is the outermost door, nothing may pass it
                self._end(exchange, status_of(error), access_log.failed(error))
                response = to_response(error)
            else:
                self._end(exchange, response.status, access_log.answered(response))
            if not response.prepared:
                response.headers[request_id.HEADER] = bound
                await read_after.tell(scope, response)
                # What is answered to somebody is theirs, unless its handler says otherwise.
                if current_principal() is not None:
                    response.headers.setdefault(hdrs.CACHE_CONTROL, "private, no-store")
                self._cors.allow(request, response)
                if self._health.draining:
                    response.force_close()  # the last answer of its connection
        return response

    def _end(self, exchange: Exchange, status: int, outcome: access_log.Outcome) -> None:
        seconds = exchange.seconds()
        self._metrics.end(exchange, status, seconds)
        access_log.write(exchange, status, seconds, outcome)

    async def _in_time(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        """Limit the time. A time-out is raised as `TimeoutError` and becomes a 504."""
        if exchange.is_long_lived:
            return await self._admitted(exchange, handler)
        task = self._deadline.enter()
        try:
            callers = waits_less(exchange.request)
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
        """Admit the caller, and add the remaining rate limit to the response."""
        request = exchange.request
        limit = None if self.admit is None else await self.admit(exchange)
        if self.idempotent is not None and idempotency.HEADER in request.headers:
            response = await self.idempotent(request, handler)
        else:
            response = await handler(request)
        if limit is not None and not response.prepared:
            response.headers.update(limit.headers())
        return response
