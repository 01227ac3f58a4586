"""Role management: permissions of roles, and assignment of roles to accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from lib.auth import Principal, Role
from lib.auth.guards import forbidden
from lib.auth.permissions import OF_SERVICES, declared
from lib.db import Database, Executor
from lib.errors import AppError, Code, not_found
from lib.resource.rules import change_errors, check_version, or_not_found
from services.user.model.roles import NewPermission, RoleChange
from services.user.service import accounts as people
from services.user.service import audit, custom_roles, sessions, standing
from services.user.service.granting import check_may_grant, record_change
from services.user.store import profiles, roles
from services.user.store.models import AccountRole, Permission
from services.user.store.roles import GetRoleRow, ListRolesRow

# Without these permissions, no administrator could grant them again.
_ALWAYS_ADMINS: Final = frozenset({"roles:read", "roles:write"})
# The code asks for these by name.
BUILT_IN: Final = frozenset(name for name in declared() if not name.startswith(OF_SERVICES))


async def list_all(db: Executor) -> Sequence[ListRolesRow]:
    """Return every role with its permissions: first built-in roles, then custom roles."""
    return [*await roles.list_roles(db), *await roles.list_custom_roles(db)]


async def get(db: Executor, name: AccountRole) -> GetRoleRow:
    """Return one role with its permissions. Raises AppError(NOT_FOUND)."""
    return or_not_found(await roles.get_role(db, name=name), "role")


async def change(
    db: Database,
    principal: Principal,
    name: AccountRole,
    given: RoleChange,
    version: int | None,
) -> GetRoleRow:
    """Replace the description and permissions of a role. A refreshed token has the new permissions.

    Raises:
        AppError: VALIDATION_ERROR, which names unknown permissions; FORBIDDEN for permissions that
            the caller does not have; CONFLICT if administrators would lose the permission to manage
            roles; PRECONDITION_FAILED.
    """
    wanted = sorted(set(given.permissions))
    async with db.transaction() as tx:
        await standing.check(tx, principal, fresh=True)
        current = or_not_found(await roles.lock_role(tx, name=name), "role")
        check_version(version, current)
        await _check_may_grant(tx, principal, name, wanted)
        before = (await get(tx, name)).permissions
        await roles.revoke_permissions(tx, role=name, permissions=wanted)
        await roles.grant_permissions(tx, role=name, permissions=wanted)
        await roles.update_role(
            tx, name=name, description=given.description, updated_by=principal.subject
        )
        await record_change(tx, name, before, wanted)
        return await get(tx, name)


async def assign(
    db: Database,
    principal: Principal,
    account_id: UUID,
    wanted: str,
    version: int | None,
) -> None:
    """Assign a role to an account and end its sessions. The next token has the new permissions.

    Raises:
        AppError: NOT_FOUND; FORBIDDEN; PRECONDITION_FAILED; VALIDATION_ERROR if the role does not
            exist; CONFLICT for the last administrator, or for a role that cannot be assigned.
    """
    async with db.transaction() as tx:
        await people.lock_administrators(tx)
        await standing.check(tx, principal, fresh=True)
        person = await people.lock(tx, principal, account_id, version)
        before = person.custom_role or person.role
        if before == wanted:
            return
        if wanted in AccountRole.__members__:
            role, custom = AccountRole(wanted), None
        else:
            role, custom = await custom_roles.check_may_give(tx, principal, wanted), wanted
        if role is not person.role or custom is None:
            await people.check_may_give(tx, principal, role, custom=custom is not None)
        await people.keep_an_administrator(tx, person)
        await profiles.set_role(
            tx, id=account_id, role=role, custom_role=custom, updated_by=principal.subject
        )
        await sessions.end_all(tx, account_id, because="role_changed")
        await audit.record(tx, "role.assigned", account_id, before=before, after=wanted)
        await people.publish_account_event(tx, "role_changed", account_id, role=role)


async def list_permissions(db: Executor) -> Sequence[Permission]:
    """Return every permission."""
    return await roles.list_permissions(db)


async def add_permission(db: Database, principal: Principal, new: NewPermission) -> None:
    """Create a permission that roles can have.

    Raises:
        AppError: CONFLICT if the permission exists, or if the name is reserved for services;
            FORBIDDEN.
    """
    if new.name.startswith(OF_SERVICES):
        raise AppError(
            Code.CONFLICT, "permissions with this prefix are only for services: use another prefix"
        )
    async with db.transaction() as tx:
        await standing.check(tx, principal, fresh=True)
        with change_errors(taken="the permission exists already"):
            await roles.add_permission(tx, name=new.name, description=new.description)
        await audit.record(tx, "permission.added", new.name, resource_type="permission")


async def remove_permission(db: Database, principal: Principal, name: str) -> None:
    """Delete a permission and remove it from all roles.

    Raises:
        AppError: NOT_FOUND; FORBIDDEN; CONFLICT for a permission that the platform itself checks.
    """
    if name in BUILT_IN:
        raise AppError(
            Code.CONFLICT, "the platform checks this permission, so it cannot be deleted"
        )
    async with db.transaction() as tx:
        await standing.check(tx, principal, fresh=True)
        if not await roles.remove_permission(tx, name=name):
            raise not_found("permission")
        await audit.record(tx, "permission.removed", name, resource_type="permission")


async def _check_may_grant(
    tx: Executor, principal: Principal, name: AccountRole, wanted: Sequence[str]
) -> None:
    await check_may_grant(tx, principal, wanted)
    if name is not AccountRole.ADMIN:
        return
    if not principal.has_any(Role.ADMIN):
        raise forbidden("you can only grant permissions that you have")
    if not _ALWAYS_ADMINS.issubset(wanted):
        raise AppError(Code.CONFLICT, "administrators must keep roles:read and roles:write")
