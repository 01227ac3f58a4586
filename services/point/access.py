"""Whose points a caller may see: one's own; some roles, and services, everybody's."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from lib.auth import Role, require_principal, self_or
from lib.auth.guards import may_as_service

READ: Final = "service:points"
_SEE_EVERYBODYS: Final = (Role.ADMIN, Role.STAFF)


def check(*user_ids: UUID) -> None:
    """Let the caller pass who may see the points of all `user_ids`.

    Raises:
        AppError: UNAUTHORIZED without a caller; FORBIDDEN where one of them is somebody else.
    """
    principal = require_principal()
    if may_as_service(principal, READ):
        return
    for user_id in user_ids:
        self_or(principal, str(user_id), *_SEE_EVERYBODYS)
