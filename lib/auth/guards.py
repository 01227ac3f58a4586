"""Guards: functions that check whether a caller may proceed, and raise FORBIDDEN if not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from lib.auth.permissions import permission
from lib.auth.principal import Permission, Principal, Role
from lib.errors import AppError, Code

Guard: TypeAlias = Callable[[Principal], None]
ME = "me"
_SEE_MISSING_PERMISSIONS = (Role.ADMIN, Role.STAFF, Role.MODERATOR, Role.SERVICE)
_ASK_TO_PROVIDE = "a customer can apply for the role with POST users/me/provider-request"


def requirement(guard: Guard) -> str:
    """Return the description of a guard for the access table: the first line of its docstring."""
    return (guard.__doc__ or guard.__qualname__).strip().split("\n")[0]


def _saying(text: str) -> Callable[[Guard], Guard]:
    def name(guard: Guard) -> Guard:
        guard.__doc__ = text
        return guard

    return name


def _listed(names: Sequence[str], last: str) -> str:
    return f" {last} ".join(f"`{name}`" for name in names)


def require(*permissions: str) -> Guard:
    """Check that the caller has all of the given permissions.

    Raises:
        LookupError: if `services/permissions.toml` does not declare one of the permissions.
    """
    needed = tuple(permission(name) for name in permissions)

    @_saying(f"the permission {_listed(permissions, 'and')}")
    def guard(principal: Principal) -> None:
        if missing := [name for name in needed if not principal.may(name)]:
            raise lacking(principal, *missing)

    return guard


def require_one(*permissions: str) -> Guard:
    """Check that the caller has one of the given permissions. Raises LookupError as `require`."""
    enough = tuple(permission(name) for name in permissions)

    @_saying(f"the permission {_listed(permissions, 'or')}")
    def guard(principal: Principal) -> None:
        if not any(principal.may(name) for name in enough):
            raise lacking(principal, *enough, any_of=True)

    return guard


def require_role(*roles: Role) -> Guard:
    """Check that the caller has one of the given roles."""

    @_saying(f"the role {_listed(roles, 'or')}")
    def guard(principal: Principal) -> None:
        if not principal.has_any(*roles):
            needed = " or ".join(sorted(roles))
            how = _ASK_TO_PROVIDE if roles == (Role.PROVIDER,) else "an administrator assigns roles"
            raise forbidden(f"this request requires the role {needed}; {how}")

    return guard


def may_as_service(principal: Principal, permission: Permission) -> bool:
    """Return whether the caller is another service whose token has this permission."""
    return principal.is_service and permission in principal.permissions


def require_verified(principal: Principal) -> None:
    """Check that the caller's email address is verified."""
    if not principal.verified:
        raise forbidden(
            "your email address is not verified; if you have just verified it, "
            "refresh the access token"
        )


def subject_of(owner: str, principal: Principal) -> str:
    """Return the ID of the requested resource's owner. `me` is the caller."""
    return principal.subject if owner == ME else owner


def self_or(principal: Principal, owner: str, *roles: Role) -> str:
    """Check that the caller is the owner or has one of `roles`. Return the owner's ID.

    The error is the same for an owner that does not exist, so a caller cannot find out which IDs
    exist.
    """
    subject = subject_of(owner, principal)
    if subject != principal.subject and not principal.has_any(*roles):
        raise forbidden()
    return subject


def lacking(principal: Principal, *permissions: Permission, any_of: bool = False) -> AppError:
    """Return the error for a caller who lacks the given permissions.

    Staff and services see the names of these permissions, because they can ask an administrator for
    them. Customers and providers do not see the names, which would reveal internal processes.
    """
    if not principal.has_any(*_SEE_MISSING_PERMISSIONS):
        return forbidden()
    some = "s" if len(permissions) > 1 else ""
    listed = _listed(permissions, "or" if any_of else "and")
    return forbidden(f"you are not allowed to do this: you need the permission{some} {listed}")


def forbidden(message: str = "you are not allowed to do this") -> AppError:
    """Return the FORBIDDEN error, for a signed-in caller who may not do what the request asks."""
    return AppError(Code.FORBIDDEN, message)
