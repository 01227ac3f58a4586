"""Routes of the role management API and of the audit trail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

import msgspec
from aiohttp import web

from lib.auth import require
from lib.errors import Code, not_found
from lib.http import respond
from lib.http.respond import Answer, Created, Done, Item, Page
from lib.http.routes import CHANGE_ERRORS, From, Id, IfMatch, Routes, signed_in
from lib.resource.views import view
from services.user.model.roles import (
    AuditQuery,
    NewPermission,
    NewRole,
    RoleAssignment,
    RoleChange,
)
from services.user.routes.caller import Caller, InSession
from services.user.routes.deps import AppDeps
from services.user.service import audit, custom_roles, roles
from services.user.store.models import AccountRole, AuditEntry, Permission
from services.user.store.roles import ListRolesRow
from services.user.views import RoleView, role_view

_NAME: Final = re.compile("[A-Z][A-Z0-9_]{1,49}")
_READERS: Final = signed_in(require("roles:read"), verified=True)
_WRITERS: Final = signed_in(require("roles:write"), fresh=True)
_AUDITORS: Final = signed_in(require("audit:read"), verified=True)
route: Final = Routes("roles")


class AuditView(msgspec.Struct, frozen=True):
    """One entry of the audit trail."""

    id: UUID
    at: datetime
    actor: Annotated[str, msgspec.Meta(examples=["user:01890000-0000-7000-8000-0000000000aa"])]
    action: Annotated[str, msgspec.Meta(examples=["role.create"])]
    resource_type: Annotated[str, msgspec.Meta(examples=["role"])]
    resource_id: Annotated[str, msgspec.Meta(examples=["REVIEWER"])]
    request_id: str
    address: Annotated[str, msgspec.Meta(examples=["203.0.113.7"])]
    details: Annotated[dict[str, Any], msgspec.Meta(examples=[{"permissions": ["reports:read"]}])]


def _role(request: web.Request) -> AccountRole | str:
    """Parse the name of a built-in role or of a custom role."""
    name = request.match_info["name"].upper()
    if not _NAME.fullmatch(name):
        raise not_found("role")
    return AccountRole(name) if name in AccountRole.__members__ else name


_Permission: TypeAlias = Annotated[str, msgspec.Meta(examples=["reports:read"])]
_Name: TypeAlias = Annotated[
    AccountRole | str,
    From(_role, path={"name": Annotated[str, msgspec.Meta(examples=["REVIEWER"])]}),
]


@route("GET /api/v1/roles", "List roles", access=_READERS)
async def list_roles(deps: AppDeps, _: InSession) -> Answer[Sequence[ListRolesRow]]:
    """Return every role with its permissions."""
    return respond.ok(await roles.list_all(deps.db))


@route("POST /api/v1/roles", "Create a role", Code.CONFLICT, access=_WRITERS)
async def create_role(deps: AppDeps, new: NewRole, caller: Caller) -> Created[RoleView]:
    """Create a custom role. Its permissions replace those of the built-in role `kind`."""
    made = await custom_roles.create(deps.db, caller, new)
    return respond.created(role_view(made), f"roles/{made.name}")


@route("GET /api/v1/roles/{name}", "Get a role", Code.NOT_FOUND, access=_READERS)
async def get_role(
    request: web.Request, deps: AppDeps, _: InSession, name: _Name
) -> Item[RoleView]:
    """Return one role with its `ETag`."""
    if isinstance(name, AccountRole):
        found = await roles.get(deps.db, name)
    else:
        found = await custom_roles.get(deps.db, name)
    return respond.item(request, role_view(found))


@route("PUT /api/v1/roles/{name}", "Set the permissions of a role", *CHANGE_ERRORS, access=_WRITERS)
async def put_role(
    deps: AppDeps, name: _Name, given: RoleChange, version: IfMatch, caller: Caller
) -> Item[RoleView]:
    """Replace the permissions of a role. Access tokens have the new permissions after a refresh."""
    if isinstance(name, AccountRole):
        changed = await roles.change(deps.db, caller, name, given, version)
    else:
        changed = await custom_roles.change(deps.db, caller, name, given, version)
    return respond.changed(role_view(changed))


@route("DELETE /api/v1/roles/{name}", "Delete a role", *CHANGE_ERRORS, access=_WRITERS)
async def delete_role(deps: AppDeps, name: _Name, version: IfMatch, caller: Caller) -> Done:
    """Delete a custom role. Fails with CONFLICT while accounts have the role."""
    await custom_roles.remove(deps.db, caller, name, version)
    return respond.no_content()


@route(
    "PUT /api/v1/users/{id}/role", "Assign a role to an account", *CHANGE_ERRORS, access=_WRITERS
)
async def assign_role(
    deps: AppDeps, account_id: Id, given: RoleAssignment, version: IfMatch, caller: Caller
) -> Done:
    """Assign a role and end the sessions of the account."""
    await roles.assign(deps.db, caller, account_id, given.role, version)
    return respond.no_content()


@route("GET /api/v1/permissions", "List permissions", access=_READERS)
async def list_permissions(deps: AppDeps, _: InSession) -> Answer[Sequence[Permission]]:
    """Return every permission that a role can have."""
    return respond.ok(await roles.list_permissions(deps.db))


@route("POST /api/v1/permissions", "Create a permission", Code.CONFLICT, access=_WRITERS)
async def add_permission(deps: AppDeps, new: NewPermission, caller: Caller) -> Done:
    """Create a permission that roles can have."""
    await roles.add_permission(deps.db, caller, new)
    return respond.no_content()


@route("DELETE /api/v1/permissions/{name}", "Delete a permission", *CHANGE_ERRORS, access=_WRITERS)
async def remove_permission(deps: AppDeps, name: _Permission, caller: Caller) -> Done:
    """Delete a permission and remove it from all roles."""
    await roles.remove_permission(deps.db, caller, name)
    return respond.no_content()


@route("GET /api/v1/audit", "List audit entries", access=_AUDITORS, tag="audit")
async def list_audit(deps: AppDeps, _: InSession, query: AuditQuery) -> Page[AuditView]:
    """Return a page of entries, newest first."""
    rows, total = await audit.list_page(deps.db, query)
    return respond.page(query, [_audit_view(row) for row in rows], total)


@route(
    "GET /api/v1/audit/{id}",
    "Get an audit entry",
    Code.NOT_FOUND,
    access=_AUDITORS,
    tag="audit",
)
async def get_audit(deps: AppDeps, _: InSession, entry_id: Id) -> Answer[AuditView]:
    """Return one audit entry. Entries are immutable."""
    return respond.ok(_audit_view(await audit.get(deps.db, entry_id)))


def _audit_view(row: AuditEntry) -> AuditView:
    return view(AuditView, row, details=msgspec.json.decode(row.details, type=dict[str, Any]))
