"""Custom roles: named sets of permissions, each based on a built-in role.

A rule about a built-in role also applies to accounts with a custom role that is based on it. But
their permissions come only from the custom role. A role can be deleted only if no account has it.
"""

from __future__ import annotations

from typing import Final

from lib.auth import Principal
from lib.db import Database, Executor
from lib.errors import AppError, Code, FieldError, invalid
from lib.resource.rules import at_version, change_errors, or_not_found
from services.user.model.roles import NewRole, RoleChange
from services.user.service import accounts as people
from services.user.service import audit, standing
from services.user.service.granting import check_may_grant, record_change
from services.user.store import roles
from services.user.store.models import AccountRole
from services.user.store.roles import GetCustomRoleRow

MOST: Final = 200


async def create(db: Database, principal: Principal, new: NewRole) -> GetCustomRoleRow:
    """Create a role.

    Raises:
        AppError: CONFLICT if a role has this name, there are too many roles, or the kind cannot be
            assigned; VALIDATION_ERROR and FORBIDDEN as for a change.
    """
    wanted, kind = sorted(set(new.permissions)), AccountRole(new.kind)
    if new.name in AccountRole.__members__:
        raise AppError(Code.CONFLICT, "the role exists already")
    if kind in (AccountRole.ADMIN, AccountRole.SERVICE):
        raise AppError(Code.CONFLICT, f"a custom role cannot be based on the role {kind}")
    async with db.transaction() as tx:
        await standing.check(tx, principal, fresh=True)
        await check_may_grant(tx, principal, wanted)
        # In turn: a limit that is counted first must not be passed.
        await roles.lock_role(tx, name=AccountRole.ADMIN)
        with change_errors(taken="the role exists already"):
            added = await roles.add_custom_role(
                tx,
                name=new.name,
                kind=kind,
                description=new.description,
                updated_by=principal.subject,
                most=MOST,
            )
        if not added:
            raise AppError(Code.CONFLICT, f"there are already {MOST} roles, the maximum")
        await roles.grant_custom_permissions(tx, role=new.name, permissions=wanted)
        await audit.record(
            tx, "role.created", new.name, resource_type="role", kind=kind, granted=wanted
        )
        return await get(tx, new.name)


async def get(db: Executor, name: str) -> GetCustomRoleRow:
    """Return a custom role. Raises AppError(NOT_FOUND)."""
    return or_not_found(await roles.get_custom_role(db, name=name), "role")


async def change(
    db: Database, principal: Principal, name: str, given: RoleChange, version: int | None
) -> GetCustomRoleRow:
    """Replace the description and permissions of a role. A refreshed token has the new permissions.

    Raises:
        AppError: as `roles.change` does.
    """
    wanted = sorted(set(given.permissions))
    async with db.transaction() as tx:
        await standing.check(tx, principal, fresh=True)
        await _lock(tx, name, version)
        before = (await get(tx, name)).permissions
        await check_may_grant(tx, principal, wanted)
        await roles.revoke_custom_permissions(tx, role=name, permissions=wanted)
        await roles.grant_custom_permissions(tx, role=name, permissions=wanted)
        await roles.update_custom_role(
            tx, name=name, description=given.description, updated_by=principal.subject
        )
        await record_change(tx, name, before, wanted)
        return await get(tx, name)


async def remove(db: Database, principal: Principal, name: str, version: int | None) -> None:
    """Delete a role that no account has.

    Raises:
        AppError: NOT_FOUND; FORBIDDEN; CONFLICT for a built-in role, or while an account has the
            role; PRECONDITION_FAILED if `version` is not the current version.
    """
    if name in AccountRole.__members__:
        raise AppError(Code.CONFLICT, "a built-in role cannot be deleted")
    async with db.transaction() as tx:
        await standing.check(tx, principal, fresh=True)
        await _lock(tx, name, version)
        with change_errors(in_use="an account has this role"):
            await roles.remove_custom_role(tx, name=name)
        await audit.record(tx, "role.removed", name, resource_type="role")


async def _lock(tx: Executor, name: str, version: int | None) -> None:
    at_version(await roles.lock_custom_role(tx, name=name), "role", version)


async def check_may_give(tx: Executor, principal: Principal, name: str) -> AccountRole:
    """Lock a custom role until `tx` ends. Return the built-in role that it is based on.

    Raises:
        AppError: VALIDATION_ERROR if the role does not exist; FORBIDDEN if it has permissions that
            the caller does not have.
    """
    locked = await roles.lock_custom_role(tx, name=name)
    if locked is None:
        raise invalid(FieldError("role", "is not the name of a role"))
    people.check_may_do_as_much(principal, (await get(tx, name)).permissions)
    return locked.kind
