"""Access requirements of routes, declared beside each route and resolved once.

The defaults are strict: a caller with a second factor must have verified it, and a request that
changes data needs a verified email address. `tools/access_page.py` renders the table of all routes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from lib.auth.guards import Guard, forbidden, require_verified
from lib.auth.principal import Principal

# A sign-in counts as fresh for this long.
FRESH_SECONDS: Final = 900.0
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_DECLARED: Final = "__access__"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class When:
    """The case in which a requirement applies: the handler checks it, the access table names it."""

    case: str


Need: TypeAlias = bool | When


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The access requirements of one route: the result of `signed_in`, or `PUBLIC`.

    Args:
        guards: the checks of the caller, in order, besides those below.
        second_factor: whether a caller who has or needs a second factor must have verified it.
        fresh: whether the caller must have signed in during the last `FRESH_SECONDS`.
        verified: whether the caller's email address must be verified; None means: if the method
            changes data.
        services: whether other services may call the route. The three checks above do not apply to
            services.
        open: whether the route accepts requests without a token.
    """

    guards: tuple[Guard, ...] = ()
    second_factor: Need = True
    fresh: Need = False
    verified: Need | None = None
    services: bool = False
    open: bool = False

    def of(self, method: str) -> Access:
        """Return the requirements that a route with this HTTP method has."""
        if self.verified is not None:
            return self
        return replace(self, verified=method not in _SAFE_METHODS)

    def resolved(self) -> Guard:
        """Return one guard that checks all requirements of a route; it is made once per route.

        The guard raises FORBIDDEN at the first requirement that is not met.
        """
        people: list[Guard] = []
        if self.second_factor is True:
            people.append(require_second_factor)
        if self.fresh is True:
            people.append(require_fresh)
        # First the guards: who may not do it at all is not asked to verify an address for it.
        wanted = (*people, *self.guards)
        if self.verified is True:
            wanted = (*wanted, require_verified)
        services = self.guards if self.services else (_refuse_services,)

        def check(principal: Principal) -> None:
            for guard in services if principal.is_service else wanted:
                guard(principal)

        return check


PUBLIC: Final = Access(second_factor=False, verified=False, services=True, open=True)


def signed_in(
    *guards: Guard,
    second_factor: Need = True,
    fresh: Need = False,
    verified: Need | None = None,
    services: bool = False,
) -> Access:
    """Declare the requirements of a route for a signed-in caller. See `Access`."""
    return Access(
        guards=guards,
        second_factor=second_factor,
        fresh=fresh,
        verified=verified,
        services=services,
    )


def require_second_factor(principal: Principal) -> None:
    """Check that the caller has verified a second factor, or needs no second factor."""
    if principal.second_factor_wanted:
        raise forbidden("verify your second factor first")


def require_fresh(principal: Principal) -> None:
    """Check that the caller has signed in recently."""
    if time.time() - principal.signed_in_at > FRESH_SECONDS:
        raise forbidden("this request requires a recent sign-in: sign in again")


def _refuse_services(_principal: Principal) -> None:
    raise forbidden("this request is for users, not for services")


def declare(handler: T, access: Access) -> T:
    """Record the access requirements on a handler."""
    setattr(handler, _DECLARED, access)
    return handler


def guarded(access: Access) -> Callable[[T], T]:
    """Return `declare` as a decorator, for gRPC methods and handlers outside of `Routes`."""

    def decorate(handler: T) -> T:
        return declare(handler, access)

    return decorate


def declared(handler: object) -> Access | None:
    """Return the access requirements that a handler declares, or None if it declares none."""
    return getattr(handler, _DECLARED, None)
