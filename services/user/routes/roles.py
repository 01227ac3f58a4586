"""The role controller and the audit trail."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from aiohttp import web

from lib.auth import require, require_principal, require_verified
from lib.errors import Code, not_found
from lib.http import decode, respond
from lib.http.etag import if_match
from lib.http.middleware.auth import guarded
from lib.http.openapi import operation
from services.user.model.roles import (
    AuditQuery,
    NewPermission,
    NewRole,
    RoleAssignment,
    RoleChange,
)
from services.user.routes import caller
from services.user.routes.deps import DEPS
from services.user.routes.people import CHANGE_ERRORS
from services.user.service import audit, custom_roles, roles
from services.user.store.models import AccountRole, AuditEntry, Permission
from services.user.store.roles import GetCustomRoleRow, GetRoleRow, ListRolesRow

_TAGS: Final = ("roles",)
_NAME: Final = re.compile("[A-Z][A-Z0-9_]{1,49}")
_ERRORS: Final = (Code.UNAUTHORIZED, Code.FORBIDDEN)
_reads = guarded(require("roles:read"), require_verified)
_writes = guarded(require("roles:write"), require_verified)


class AuditView(msgspec.Struct, frozen=True):
    """One entry of the audit trail."""

    id: UUID
    at: datetime
    actor: str
    action: str
    resource_type: str
    resource_id: str
    request_id: str
    address: str
    details: dict[str, Any]


@_reads
@caller.in_session
@operation(summary="List roles", tags=_TAGS, returns=list[ListRolesRow], errors=_ERRORS)
async def list_roles(request: web.Request) -> web.Response:
    """Answer every role with what it may do."""
    return respond.ok(await roles.list_all(request.app[DEPS].db))


@_reads
@caller.in_session
@operation(
    summary="Get a role",
    tags=_TAGS,
    returns=GetRoleRow,
    path={"name": str},
    headers=("If-None-Match",),
    errors=(*_ERRORS, Code.NOT_FOUND),
)
async def get_role(request: web.Request) -> web.Response:
    """Answer one role with its `ETag`."""
    name, db = _role(request), request.app[DEPS].db
    if isinstance(name, AccountRole):
        found = await roles.get(db, name)
    else:
        found = await custom_roles.get(db, name)
    return respond.item(request, found, version=found.version)


@_writes
@operation(
    summary="Say what a role may do",
    tags=_TAGS,
    body=RoleChange,
    returns=GetRoleRow,
    path={"name": str},
    headers=("If-Match",),
    errors=CHANGE_ERRORS,
)
async def put_role(request: web.Request) -> web.Response:
    """Answer the role as it is now; access tokens follow when they are refreshed."""
    name, db, caller_ = _role(request), request.app[DEPS].db, require_principal()
    given = await decode.body(request, RoleChange)
    if isinstance(name, AccountRole):
        changed = await roles.change(db, caller_, name, given, if_match(request))
    else:
        changed = await custom_roles.change(db, caller_, name, given, if_match(request))
    return respond.changed(changed, version=changed.version)


@_writes
@operation(
    summary="Create a role",
    tags=_TAGS,
    body=NewRole,
    returns=GetCustomRoleRow,
    status=201,
    errors=(*_ERRORS, Code.CONFLICT),
)
async def create_role(request: web.Request) -> web.Response:
    """The role. Accounts that are given it may do what it may, instead of what its kind may."""
    new = await decode.body(request, NewRole)
    made = await custom_roles.create(request.app[DEPS].db, require_principal(), new)
    return respond.created(made, location=f"roles/{made.name}", version=made.version)


@_writes
@operation(
    summary="Delete a role",
    tags=_TAGS,
    path={"name": str},
    headers=("If-Match",),
    status=204,
    errors=CHANGE_ERRORS,
)
async def delete_role(request: web.Request) -> web.Response:
    """Nothing, when it is gone: one that was created, and that nobody has."""
    name, db = _role(request), request.app[DEPS].db
    await custom_roles.remove(db, require_principal(), name, if_match(request))
    return respond.no_content()


@_writes
@operation(
    summary="Give an account another role",
    tags=_TAGS,
    body=RoleAssignment,
    path={"id": UUID},
    headers=("If-Match",),
    status=204,
    errors=CHANGE_ERRORS,
)
async def assign_role(request: web.Request) -> web.Response:
    """Nothing, when it is done; the account's sessions have ended then."""
    account_id = decode.path_uuid(request)
    given = await decode.body(request, RoleAssignment)
    await roles.assign(
        request.app[DEPS].db, require_principal(), account_id, given.role, if_match(request)
    )
    return respond.no_content()


@_reads
@caller.in_session
@operation(summary="List permissions", tags=_TAGS, returns=list[Permission], errors=_ERRORS)
async def list_permissions(request: web.Request) -> web.Response:
    """Answer every permission that roles may be given."""
    return respond.ok(await roles.list_permissions(request.app[DEPS].db))


@_writes
@operation(
    summary="Add a permission",
    tags=_TAGS,
    body=NewPermission,
    status=204,
    errors=(*_ERRORS, Code.CONFLICT),
)
async def add_permission(request: web.Request) -> web.Response:
    """Nothing, when roles may be given it."""
    new = await decode.body(request, NewPermission)
    await roles.add_permission(request.app[DEPS].db, require_principal(), new)
    return respond.no_content()


@_writes
@operation(
    summary="Remove a permission",
    tags=_TAGS,
    path={"name": str},
    status=204,
    errors=(*_ERRORS, Code.NOT_FOUND, Code.CONFLICT),
)
async def remove_permission(request: web.Request) -> web.Response:
    """Nothing, when no role has it any more."""
    await roles.remove_permission(
        request.app[DEPS].db, require_principal(), request.match_info["name"]
    )
    return respond.no_content()


@guarded(require("audit:read"), require_verified)
@caller.in_session
@operation(
    summary="Read the audit trail",
    tags=("audit",),
    query=AuditQuery,
    returns=list[AuditView],
    paged=True,
    errors=_ERRORS,
)
async def list_audit(request: web.Request) -> web.Response:
    """Answer a page of entries, newest first."""
    query = decode.query(request, AuditQuery)
    rows, total = await audit.list_page(request.app[DEPS].db, query)
    return respond.page([_audit_view(row) for row in rows], query, total)


@guarded(require("audit:read"), require_verified)
@caller.in_session
@operation(
    summary="Get an entry of the audit trail",
    tags=("audit",),
    path={"id": UUID},
    returns=AuditView,
    errors=(*_ERRORS, Code.NOT_FOUND),
)
async def get_audit(request: web.Request) -> web.Response:
    """Answer one entry, which nobody changes."""
    found = await audit.get(request.app[DEPS].db, decode.path_uuid(request))
    return respond.ok(_audit_view(found))


def _role(request: web.Request) -> AccountRole | str:
    """Return a kind of accounts, or the name of what may be a role that was created."""
    name = request.match_info["name"].upper()
    if not _NAME.fullmatch(name):
        raise not_found("role")
    return AccountRole(name) if name in AccountRole.__members__ else name


def _audit_view(row: AuditEntry) -> AuditView:
    return AuditView(
        id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        resource_type=row.resource_type,
        resource_id=row.resource_id,
        request_id=row.request_id,
        address=row.address,
        details=msgspec.json.decode(row.details, type=dict[str, Any]),
    )


ROUTES: Final = (
    web.get("/api/v1/roles", list_roles),
    web.post("/api/v1/roles", create_role),
    web.get("/api/v1/roles/{name}", get_role),
    web.put("/api/v1/roles/{name}", put_role),
    web.delete("/api/v1/roles/{name}", delete_role),
    web.put("/api/v1/users/{id}/role", assign_role),
    web.get("/api/v1/permissions", list_permissions),
    web.post("/api/v1/permissions", add_permission),
    web.delete("/api/v1/permissions/{name}", remove_permission),
    web.get("/api/v1/audit", list_audit),
    web.get("/api/v1/audit/{id}", get_audit),
)
