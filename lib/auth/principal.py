"""The verified caller of the current request."""

from __future__ import annotations

from contextvars import ContextVar
from enum import StrEnum
from functools import lru_cache
from typing import Final, NewType
from uuid import UUID

import msgspec
from msgspec.structs import force_setattr

from lib import context
from lib.errors import AppError, Code

# A declared name: `lib.auth.permissions.permission` makes it.
Permission = NewType("Permission", str)


class Role(StrEnum):
    """The roles of a caller. `GET /api/v1/roles` lists the permissions of each role."""

    CUSTOMER = "CUSTOMER"
    PROVIDER = "PROVIDER"
    MODERATOR = "MODERATOR"
    ADMIN = "ADMIN"
    STAFF = "STAFF"
    SERVICE = "SERVICE"


# Not the member: hashing one runs Python code, for each request.
_SERVICE: Final = Role.SERVICE.value


class Transport(StrEnum):
    """The header that carried the token: `Authorization` or `Cookie`.

    Browsers send cookies by themselves, so a request with a cookie also needs a CSRF token.
    """

    BEARER = "bearer"
    COOKIE = "cookie"


class Principal(msgspec.Struct, frozen=True):
    """A caller whose token was verified.

    `subject` is a user's ID or a service's name. `session` is the ID of the session that a logout
    ends; it is empty for services. `signed_in_at` is the start of the session, in seconds since the
    epoch. `second_factor_wanted` is true after a sign-in with the password, until the caller has
    verified a second factor.
    """

    subject: str
    roles: frozenset[Role]
    permissions: frozenset[str]
    verified: bool
    session: str
    token_id: str
    expires_at: float
    transport: Transport = Transport.BEARER
    second_factor_wanted: bool = False
    signed_in_at: float = 0.0
    is_service: bool = False

    def __post_init__(self) -> None:
        """Set `is_service` from the roles once, because it is read several times per request."""
        force_setattr(self, "is_service", _SERVICE in self.roles)

    @property
    def account_id(self) -> UUID | None:
        """Return the user ID, or None for a service."""
        return _id_or_none(self.subject)

    @property
    def session_id(self) -> UUID | None:
        """Return the session ID, or None if the token has none."""
        return _id_or_none(self.session)

    def may(self, permission: Permission) -> bool:
        """Return whether the token carries the given permission."""
        return permission in self.permissions

    def has_any(self, *roles: Role) -> bool:
        """Return whether the caller has one of the given roles."""
        return not self.roles.isdisjoint(roles)


# The caller of the request that the current task serves.
caller: Final[ContextVar[Principal | None]] = ContextVar("caller", default=None)


@lru_cache(maxsize=10_000)  # one caller asks often, and reading an id takes its time
def _id_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def current_principal() -> Principal | None:
    """Return the caller, or None if the request has no token."""
    return caller.get()


def known_principal() -> Principal | None:
    """Return the caller, or None if the caller is not fully signed in.

    A caller who has not verified a required second factor is not fully signed in. Use this function
    in open routes that return more to signed-in callers.
    """
    principal = caller.get()
    return None if principal is None or principal.second_factor_wanted else principal


def require_principal() -> Principal:
    """Return the caller.

    Raises:
        AppError: UNAUTHORIZED if the caller is not signed in.
    """
    principal = caller.get()
    if principal is None:
        raise unauthorized("sign in first")
    return principal


def set_principal(principal: Principal | None) -> None:
    """Bind the caller to the task of the request and to its log lines."""
    caller.set(principal)
    context.principal.set("" if principal is None else principal.subject)


def unauthorized(message: str = "the token is missing, invalid or expired") -> AppError:
    """Return the UNAUTHORIZED error, for a request without a valid token.

    The message does not say which check failed, so that an attacker learns nothing from it.
    """
    return AppError(Code.UNAUTHORIZED, message, headers={"WWW-Authenticate": "Bearer"})
