"""Events about accounts, for other services."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from msgspec import Struct

from lib.events import Topic
from services.user.store.models import AccountRole


class UserChanged(Struct, frozen=True):
    """The events `user.updated`, `.activated`, `.deactivated`, `.deleted` and `.erased`."""

    id: UUID


class SessionsEnded(Struct, frozen=True):
    """The event `user.sessions_ended`: the access tokens of these sessions are no longer valid."""

    id: UUID
    sessions: tuple[UUID, ...]


class RoleChanged(Struct, frozen=True):
    """The event `user.role_changed` with the new role."""

    id: UUID
    role: AccountRole


class UserRegistered(Struct, frozen=True):
    """The event `user.registered`.

    It has no personal data, because events are stored and copied.
    """

    id: UUID
    role: AccountRole


class UserVerified(Struct, frozen=True):
    """The event `user.verified`."""

    id: UUID


TOPIC: Final = Topic(
    "users",
    {
        "user.registered": UserRegistered,
        "user.verified": UserVerified,
        "user.role_changed": RoleChanged,
        "user.sessions_ended": SessionsEnded,
        **{
            f"user.{what}": UserChanged
            for what in ("updated", "activated", "deactivated", "deleted", "erased")
        },
    },
)
