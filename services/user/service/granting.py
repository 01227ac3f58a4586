"""Check the permissions that a caller grants."""

from __future__ import annotations

from collections.abc import Sequence

from lib.auth import Principal, Role
from lib.auth.guards import forbidden
from lib.db import Executor
from lib.errors import FieldError, invalid
from services.user.service import audit
from services.user.store import roles


async def check_may_grant(tx: Executor, principal: Principal, wanted: Sequence[str]) -> None:
    """Check that the caller has all the permissions, so that callers grant only their own.

    Raises:
        AppError: VALIDATION_ERROR, which names unknown permissions; FORBIDDEN.
    """
    unknown = await roles.unknown_permissions(tx, permissions=list(wanted))
    if unknown:
        raise invalid(*(FieldError("permissions", f"{one} is not a permission") for one in unknown))
    if not (principal.has_any(Role.ADMIN) or principal.permissions.issuperset(wanted)):
        raise forbidden("you can only grant permissions that you have")


async def record_change(
    tx: Executor, role: str, before: Sequence[str], wanted: Sequence[str]
) -> None:
    """Record in the audit trail the permissions that a role gained and lost."""
    await audit.record(
        tx,
        "role.changed",
        role,
        resource_type="role",
        granted=sorted(set(wanted) - set(before)),
        revoked=sorted(set(before) - set(wanted)),
    )
