"""What roles may do where nobody has changed it, for tests of services that do not ask `user`."""

from __future__ import annotations

from typing import Final

from lib.auth import Role
from lib.auth.permissions import Grants

GRANTS: Final[Grants] = {
    Role.ADMIN: frozenset(
        {
            "users:read", "users:write", "users:moderate", "roles:read", "roles:write",
            "audit:read", "departments:write", "products:write", "catalog:write",
            "orders:manage", "places:write", "chats:moderate",
            "jobs:read", "jobs:manage", "reviews:moderate",
        }
    ),
    Role.STAFF: frozenset(
        {"users:read", "departments:write", "products:write", "orders:manage", "jobs:read"}
    ),
    Role.MODERATOR: frozenset(
        {"users:moderate", "chats:moderate", "jobs:read", "reviews:moderate"}
    ),
}  # fmt: skip
