"""People of every role, straight into the database, each with a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.auth import Role
from lib.ids import new_id
from services.user.service.roles import BUILT_IN
from tests.grants import GRANTS
from tests.services.running import ISSUER
from tests.services.user.world import Answer, World

PERMISSIONS: dict[Role, Sequence[str]] = {
    Role.ADMIN: sorted(BUILT_IN),
    Role.STAFF: sorted(GRANTS[Role.STAFF]),
    Role.MODERATOR: sorted(GRANTS[Role.MODERATOR]),
    Role.CUSTOMER: [],
    Role.PROVIDER: [],
}


@dataclass
class Actor:
    """Somebody who asks."""

    world: World
    id: str
    role: Role
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return f"/api/v1/users/{self.id}"

    async def call(
        self, method: str, path: str, json: Any = None, headers: Any = None, **more: Any
    ) -> Answer:
        return await self.world.call(
            method, path, json, headers={**self.headers, **(headers or {})}, **more
        )

    async def me(self) -> Any:
        answer = await self.call("GET", "/api/v1/users/me")
        assert answer.status == 200, answer.body
        return answer.data


async def actor(
    world: World,
    role: Role,
    name: str = "",
    *,
    verified: bool = True,
    permissions: Sequence[str] | None = None,
    can_log_in: bool = True,
) -> Actor:
    """Add somebody; `name` makes the address, and is the role's where it is left out."""
    account_id = str(new_id())
    first = name or role.value.lower()
    await world.db.execute(
        "INSERT INTO account (id, email, first_name, last_name, phone_number, password_hash, role,"
        " verified) VALUES ($1, $2, $3, 'Tester', '995555123456', $4, $5, $6)",
        account_id,
        f"{first}@example.com",
        first.title(),
        "not a hash" if can_log_in else None,
        role.value,
        verified,
    )
    granted = PERMISSIONS[role] if permissions is None else permissions
    session = str(new_id())
    await world.db.execute(
        "INSERT INTO session (id, account_id, expires_at)"
        " VALUES ($1, $2, now() + interval '1 day')",
        *(session, account_id),
    )
    headers = ISSUER.authorized(
        *granted, subject=account_id, role=role, verified=verified, session=session
    )
    return Actor(world, account_id, role, headers)
