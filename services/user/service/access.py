"""Access rules for accounts: owners may act on their accounts, other callers need permissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from lib.auth import Principal, Role
from lib.auth.guards import forbidden, lacking, may_as_service
from lib.auth.permissions import permission
from lib.errors import AppError, Code
from services.user.store.models import AccountRole

READ: Final = permission("users:read")
WRITE: Final = permission("users:write")
MODERATE: Final = permission("users:moderate")
LOOK_UP: Final = permission("service:users")  # for another service: who is who


def is_own(principal: Principal, account_id: UUID) -> bool:
    """Return whether the account is the caller's own."""
    own = principal.account_id
    # Comparing two runs Python code; as a rule both are one object.
    return own is account_id or own == account_id


def may_see_salaries(principal: Principal) -> bool:
    """Return whether the caller may see the salaries of other users."""
    return principal.may(READ)


def may_manage(principal: Principal) -> bool:
    """Return whether the caller may manage other accounts."""
    return principal.may(WRITE) or principal.may(MODERATE)


def check_may_see(principal: Principal, account_id: UUID) -> None:
    """Check that the caller is the owner, may read accounts, or is a service with `service:users`.

    Raises:
        AppError: FORBIDDEN, whether or not the account exists.
    """
    if is_own(principal, account_id) or may_as_service(principal, LOOK_UP):
        return
    if not (may_manage(principal) or principal.may(READ)):
        raise lacking(principal, READ, WRITE, MODERATE, any_of=True)


def check_may_see_points(principal: Principal, account_id: UUID) -> None:
    """Check that the caller is the owner or may read accounts. Raises FORBIDDEN."""
    if not (is_own(principal, account_id) or principal.may(READ)):
        raise lacking(principal, READ)


def check_may_change(principal: Principal, account_id: UUID) -> None:
    """Check that the caller is the owner or may change accounts. Raises FORBIDDEN."""
    if not (is_own(principal, account_id) or may_manage(principal)):
        raise lacking(principal, WRITE, MODERATE, any_of=True)


def check_rank(principal: Principal, account_id: UUID, role: AccountRole) -> None:
    """Check that only administrators change accounts of administrators or assign the role ADMIN.

    Raises:
        AppError: FORBIDDEN for an account with this role, unless the caller is an administrator.
    """
    if is_own(principal, account_id) or role is not AccountRole.ADMIN:
        return
    if not principal.has_any(Role.ADMIN):
        raise forbidden("only an administrator may change an administrator")


def check_superset(principal: Principal, permissions: Iterable[str] | None, message: str) -> None:
    """Check that the caller is an administrator, or has all permissions in `permissions`.

    If `permissions` is None, the permissions are unknown, and only administrators pass.

    Raises:
        AppError: FORBIDDEN with `message`.
    """
    if principal.has_any(Role.ADMIN):
        return
    if permissions is None or not principal.permissions.issuperset(permissions):
        raise forbidden(message)


def require_verified(principal: Principal) -> None:
    """Check that the caller's address is verified. Changes to other accounts require this."""
    if not principal.verified:
        raise AppError(Code.FORBIDDEN, "your email address is not verified")
