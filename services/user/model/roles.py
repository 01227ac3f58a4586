"""Request types of the role management API and of the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from lib.auth import Role
from lib.resource.input import Input
from lib.resource.lists import CursorListQuery
from lib.texts import END

PermissionName = Annotated[
    str,
    Meta(
        examples=["reports:read"],
        max_length=100,
        pattern=rf"^[a-z][a-z0-9_-]*(:[a-z][a-z0-9_-]*)+{END}",
        description="`resource:action`",
        extra={"message": "must be lower-case words separated by colons"},
    ),
]
RoleName = Annotated[
    str,
    Meta(
        examples=["REVIEWER"],
        max_length=50,
        pattern=rf"^[A-Z][A-Z0-9_]+{END}",
        description="name of a built-in role or of a custom role",
        extra={"message": "must be upper-case letters, digits and underscores"},
    ),
]
_Description = Annotated[
    str, Meta(examples=["May read the reports."], min_length=1, max_length=500)
]
_Permissions = Annotated[list[PermissionName], Meta(max_length=200)]


class NewRole(Input, frozen=True, kw_only=True):
    """A custom role, based on the built-in role `kind`.

    An account with the custom role has the role's `permissions` instead of those of `kind`.
    """

    name: RoleName
    kind: Annotated[Role, Meta(examples=["STAFF"])]
    description: _Description
    permissions: _Permissions


class RoleChange(Input, frozen=True, kw_only=True):
    """All permissions that the role will have, not only new ones.

    An omitted description keeps its value.
    """

    permissions: _Permissions
    description: _Description | None = None


class RoleAssignment(Input, frozen=True, kw_only=True):
    """The role to assign to an account."""

    role: RoleName


class NewPermission(Input, frozen=True, kw_only=True):
    """The data of a new permission."""

    name: PermissionName
    description: _Description


class AuditQuery(CursorListQuery, frozen=True, kw_only=True):
    """Filters of the audit trail. The newest entries come first, regardless of `sort`.

    `search` matches actors, actions and the IDs of the affected objects.
    """

    actor: (
        Annotated[str, Meta(max_length=200, examples=["user:01890000-0000-7000-8000-0000000000aa"])]
        | None
    ) = None
    action: Annotated[str, Meta(max_length=100, examples=["role.create"])] | None = None
    resource_type: Annotated[str, Meta(max_length=100, examples=["role"])] | None = None
    resource_id: Annotated[str, Meta(max_length=100, examples=["REVIEWER"])] | None = None
    search: Annotated[str, Meta(max_length=200, examples=["reviewer"])] | None = None
    since: (
        Annotated[datetime, Meta(tz=True, description="only entries from this time on")] | None
    ) = None
    until: (
        Annotated[datetime, Meta(tz=True, description="only entries before this time")] | None
    ) = None
