"""Rate limits: per client address before any work, per user after authentication."""

from __future__ import annotations

from lib.auth.principal import Principal
from lib.errors import AppError, Code
from lib.http.middleware.exchange import Exchange
from lib.http.route import KEY_SETS, PROBES
from lib.limits import Decision, Limiter, TokenBucket, Window
from lib.limits.client_address import limit_key
from lib.limits.rules import Rule

# 100 requests a second, 200 at once.
PER_CLIENT = TokenBucket(rate=100.0, burst=200)
PER_SERVICE = TokenBucket(rate=2000.0, burst=4000)
_EXEMPT = PROBES | KEY_SETS


class ClientLimit:
    """A token bucket per client address. Probes and key sets are not counted."""

    def __init__(self, limiter: Limiter, rule: TokenBucket = PER_CLIENT) -> None:
        self._limiter = limiter
        self._rule = rule

    async def check(self, exchange: Exchange) -> Decision | None:
        """Count the request and return the decision; raises RATE_LIMIT_EXCEEDED."""
        if exchange.route in _EXEMPT:
            return None
        rule, key = self._rule, limit_key(exchange.client)
        return _passed(self._limiter.known(rule, key) or await self._limiter.take(rule, key))


class UserLimit:
    """A limit for each signed-in user.

    A service calls for all of its users, whose requests it has already counted, so it has a
    separate limit. This limit leaves capacity for others if a service sends too many requests or
    its token is stolen.
    """

    def __init__(self, limiter: Limiter, rule: Window, services: TokenBucket = PER_SERVICE) -> None:
        self._limiter = limiter
        self._rule = rule
        self._services = services

    async def check(self, principal: Principal) -> Decision:
        """Count the request and return the decision; raises RATE_LIMIT_EXCEEDED."""
        rule: Rule = self._rule
        key = f"user:{principal.subject}"
        if principal.is_service:
            rule, key = self._services, f"service:{principal.subject}"
        return _passed(self._limiter.known(rule, key) or await self._limiter.take(rule, key))


def _passed(decision: Decision) -> Decision:
    if not decision.allowed:
        raise AppError(
            Code.RATE_LIMIT_EXCEEDED, "too many requests; slow down", headers=decision.headers()
        )
    return decision
