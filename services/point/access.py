"""Access rules: users see their own points; services and callers with `users:read` see all."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from lib.auth import require_principal, self_or
from lib.auth.access import signed_in
from lib.auth.guards import may_as_service
from lib.auth.permissions import permission

READ: Final = permission("service:points")
# Not a role: whose second factor was not shown keeps the role, and has no permissions.
_READ_ACCOUNTS: Final = permission("users:read")
# Whose points they are, `check` asks.
POINTS: Final = signed_in(verified=False, services=True)


def check(*user_ids: UUID) -> None:
    """Check that the caller may see the points of all `user_ids`.

    Raises:
        AppError: UNAUTHORIZED without a caller; FORBIDDEN if one of the IDs belongs to another
            user.
    """
    principal = require_principal()
    if may_as_service(principal, READ) or principal.may(_READ_ACCOUNTS):
        return
    for user_id in user_ids:
        self_or(principal, str(user_id))
