"""Admission: authentication and rate limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from lib.auth.principal import Principal, set_principal
from lib.errors import AppError, Code
from lib.http.middleware.auth import Authenticator
from lib.http.middleware.exchange import Exchange
from lib.http.middleware.rate_limit import ClientLimit, UserLimit
from lib.limits import Decision

# Lets a request in or raises; returns the limit that its answer tells of.
Admit: TypeAlias = Callable[[Exchange], Awaitable[Decision | None]]


async def not_yet(_: Exchange) -> Decision | None:
    """Refuse every request until the dependencies of admission are open."""
    raise AppError(Code.SERVICE_UNAVAILABLE, "the service is starting")


class Admission:
    """Check the client's limit first, then authenticate, then check the user's limit.

    All requests of a service come from one address. So requests with a known valid token of a
    service do not count toward the limit of the address. Requests with an unknown or invalid token
    count. So the number of signature checks is limited too.
    """

    def __init__(
        self, clients: ClientLimit, authenticator: Authenticator, users: UserLimit
    ) -> None:
        self._clients = clients
        self._authenticator = authenticator
        self._users = users

    async def admit(self, exchange: Exchange) -> Decision | None:
        """Bind the principal. Return the decision of the user's limit, else of the address limit.

        Raises:
            AppError: RATE_LIMIT_EXCEEDED, UNAUTHORIZED, FORBIDDEN (a wrong CSRF token), or
                SERVICE_UNAVAILABLE if tokens cannot be checked.
        """
        by_client = None
        recalled = self._authenticator.recall(exchange)
        if recalled is None or not recalled.principal.is_service:
            by_client = await self._clients.check(exchange)
        if recalled is not None and recalled.is_fresh():
            principal: Principal | None = recalled.principal
            set_principal(principal)
        else:
            principal = await self._authenticator.identify(exchange)
        return by_client if principal is None else await self._users.check(principal)
