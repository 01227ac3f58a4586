"""Rate limits: per client address before anything costs, per user once it is known who asks."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lib.auth.principal import Role, current_principal
from lib.errors import AppError, Code
from lib.http.route import route_template
from lib.limits import Decision, Limiter, TokenBucket, Window
from lib.limits.client_address import TrustedProxies, limit_key

# 100 requests a second, 200 at once.
PER_CLIENT = TokenBucket(rate=100.0, burst=200)
EXEMPT = frozenset({"/health", "/livez", "/readyz", "/metrics"})


def limit_clients(
    limiter: Limiter,
    rule: TokenBucket = PER_CLIENT,
    *,
    proxies: TrustedProxies | None = None,
    exempt: Collection[str] = EXEMPT,
) -> Middleware:
    """Return a middleware that gives each client address a token bucket; probes are not counted."""
    trusted = proxies or TrustedProxies()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if route_template(request) in exempt:
            return await handler(request)
        client = trusted.client(request.remote, request.headers.getall("X-Forwarded-For", ()))
        return await _answer(await limiter.take(rule, limit_key(client)), request, handler)

    return middleware


def limit_users(limiter: Limiter, rule: Window) -> Middleware:
    """Return a middleware that limits each signed-in user; it belongs behind `authenticate`.

    A service asks for all of its users, whom it has counted itself: it is not limited as one.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        principal = current_principal()
        if principal is None or principal.has_any(Role.SERVICE):
            return await handler(request)
        decision = await limiter.take(rule, f"user:{principal.subject}")
        return await _answer(decision, request, handler)

    return middleware


async def _answer(decision: Decision, request: web.Request, handler: Handler) -> web.StreamResponse:
    if not decision.allowed:
        raise AppError(
            Code.RATE_LIMIT_EXCEEDED, "too many requests, slow down", headers=decision.headers()
        )
    response = await handler(request)
    # The innermost limit is the one that the caller feels; an outer one does not overwrite it.
    if not response.prepared and "RateLimit-Limit" not in response.headers:
        response.headers.update(decision.headers())
    return response
