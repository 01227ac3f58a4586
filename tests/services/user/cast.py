"""Users of every role, inserted directly into the database, each with a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.auth import Role
from lib.ids import new_id
from services.user.service.roles import BUILT_IN
from tests.grants import GRANTS
from tests.rows.user.models import AccountRole
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
    """A caller."""

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
    """Add a user; `name` makes the address, and defaults to the role's name."""
    first = name or role.value.lower()
    account = await world.rows.make_account(
        id=new_id(),
        email=f"{first}@example.com",
        first_name=first.title(),
        last_name="Tester",
        phone_number="995555123456",
        password_hash="not a hash" if can_log_in else None,
        role=AccountRole(role.value),
        verified=verified,
    )
    session = await world.rows.make_session(
        id=new_id(), account_id=account.id, expires_at=datetime.now(UTC) + timedelta(days=1)
    )
    granted = PERMISSIONS[role] if permissions is None else permissions
    account_id, session_id = str(account.id), str(session.id)
    headers = ISSUER.authorized(
        *granted, subject=account_id, role=role, verified=verified, session=session_id
    )
    return Actor(world, account_id, role, headers)
