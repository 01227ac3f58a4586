"""Admission: authentication and rate limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeAlias

from lib.auth.principal import Principal, set_principal
from lib.errors import AppError, Code
from lib.http.middleware.auth import Authenticator
from lib.http.middleware.exchange import Exchange
from lib.http.route import KEY_SETS, PROBES
from lib.limits import Decision, Limiter, TokenBucket, Window
from lib.limits.client_address import limit_key
from lib.limits.rules import Rule

# 100 requests a second, 200 at once.
PER_CLIENT: Final = TokenBucket(rate=100.0, burst=200)
PER_SERVICE: Final = TokenBucket(rate=2000.0, burst=4000)
# Probes and key sets are not counted by address.
_UNCOUNTED: Final = PROBES | KEY_SETS
# Admits a request or raises; returns the limit that the response reports.
Admit: TypeAlias = Callable[[Exchange], Awaitable[Decision | None]]


async def not_yet(_: Exchange) -> Decision | None:
    """Refuse every request until the dependencies of admission are open."""
    raise AppError(Code.SERVICE_UNAVAILABLE, "the service is starting")


class Admission:
    """Check the client's limit first, then authenticate, then check the user's limit.

    All requests of a service come from one address. So requests with a known valid token of a
    service do not count toward the limit of the address. Requests with an unknown or invalid token
    count. So the number of signature checks is limited too.

    A service calls for all of its users, whose requests it has already counted, so it has a
    separate limit. This limit leaves capacity for others if a service sends too many requests or
    its token is stolen.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        limiter: Limiter,
        per_user: Window,
        *,
        per_client: TokenBucket = PER_CLIENT,
        per_service: TokenBucket = PER_SERVICE,
    ) -> None:
        self._authenticator = authenticator
        self._limiter = limiter
        self._per_client, self._per_user, self._per_service = per_client, per_user, per_service

    async def admit(self, exchange: Exchange) -> Decision | None:
        """Bind the caller to the request. Return the decision of the rate limit.

        This is the decision of the user's limit if there is a user, else of the address's limit.

        Raises:
            AppError: RATE_LIMIT_EXCEEDED, UNAUTHORIZED, FORBIDDEN (a wrong CSRF token), or
                SERVICE_UNAVAILABLE if tokens cannot be checked.
        """
        by_client = None
        recalled = self._authenticator.recall(exchange)
        is_counted = recalled is None or not recalled.principal.is_service
        if is_counted and exchange.route not in _UNCOUNTED:
            by_client = await self._count(self._per_client, limit_key(exchange.client))
        if recalled is not None and monotonic() < recalled.fresh_until:
            principal: Principal | None = recalled.principal
            set_principal(principal)
        else:
            principal = await self._authenticator.identify(exchange)
        if principal is None:
            return by_client
        if principal.is_service:
            return await self._count(self._per_service, f"service:{principal.subject}")
        return await self._count(self._per_user, f"user:{principal.subject}")

    async def _count(self, rule: Rule, key: str) -> Decision:
        decision = self._limiter.known(rule, key) or await self._limiter.take(rule, key)
        if not decision.allowed:
            raise AppError(
                Code.RATE_LIMIT_EXCEEDED, "too many requests; slow down", headers=decision.headers()
            )
        return decision
