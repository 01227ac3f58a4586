"""Read, create, update, activate, deactivate and delete an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import UNSET, UnsetType

from lib.auth import Principal, Role
from lib.auth.guards import forbidden
from lib.db import Database, Executor
from lib.errors import AppError, Code
from lib.events import publish
from lib.ids import new_id
from lib.resource.rules import change_errors, check_version, or_not_found
from services.user.model.account import check_names
from services.user.model.people import Employment, NewPerson, PersonChange, check_salary
from services.user.service import access, audit, sessions, standing, throttle
from services.user.service.events import TOPIC, RoleChanged, UserChanged, UserRegistered
from services.user.service.register import EMAIL_TAKEN, check_free
from services.user.service.throttle import Limits
from services.user.store import (
    accounts,
    addresses,
    identities,
    mail,
    profiles,
    roles,
    staff,
    tokens,
)
from services.user.store.models import AccountRole, AccountStatus, TokenKind
from services.user.store.profiles import GetPersonRow, GetProfileRow, LockPersonRow

_NOW: Final = 0.0


async def get(db: Executor, account_id: UUID) -> GetPersonRow:
    """Return an account. Raises AppError(NOT_FOUND)."""
    return or_not_found(await profiles.get_person(db, id=account_id), "user")


async def get_profile(db: Executor, account_id: UUID) -> GetProfileRow:
    """Return the public profile of an active account. Raises AppError(NOT_FOUND)."""
    return or_not_found(await profiles.get_profile(db, id=account_id), "user")


async def add(db: Database, principal: Principal, new: NewPerson) -> UUID:
    """Create an account, email its owner a link to choose a password, and return the account ID.

    Raises:
        AppError: CONFLICT if the address is in use; FORBIDDEN for a role that the caller may not
            assign; VALIDATION_ERROR.
    """
    names = check_names(first_name=new.first_name, last_name=new.last_name)
    if new.employment is not None:
        check_salary(new.employment)
    account_id = new_id()
    role = AccountRole(new.role)
    async with db.transaction() as tx:
        await standing.check(tx, principal, fresh=role is not AccountRole.CUSTOMER)
        await check_may_give(tx, principal, role)
        with change_errors(taken=EMAIL_TAKEN):
            added = await accounts.add_account(
                tx,
                id=account_id,
                email=new.email,
                phone_number=new.phone_number,
                password_hash=None,
                role=role,
                created_by=principal.subject,
                **names,
            )
        await check_free(tx, new.email, account_id)
        if new.employment is not None:
            await _employ(tx, account_id, new.employment)
        # Its link verifies the address: who has no password yet cannot verify it otherwise.
        await _mail(tx, "invitation", account_id, added.email)
        await audit.record(tx, "account.added", account_id, role=role)
        await publish(
            tx,
            topic=TOPIC,
            key=str(account_id),
            kind="user.registered",
            payload=UserRegistered(account_id, role),
        )
    return account_id


async def check_may_give(
    tx: Executor, principal: Principal, role: AccountRole, *, custom: bool = False
) -> None:
    """Check that the caller may assign the role. No one may assign PROVIDER or SERVICE.

    If `custom` is true, the account gets a custom role that is based on `role`. Then the
    permissions of `role` are not checked, because the account does not get them.

    Raises:
        AppError: FORBIDDEN or CONFLICT for such a role.
    """
    if role is AccountRole.ADMIN:
        access.check_rank(principal, UUID(int=0), role)
    if role in (AccountRole.SERVICE, AccountRole.PROVIDER):
        raise AppError(Code.CONFLICT, f"an account cannot be given the role {role}")
    if not custom and not principal.has_any(Role.ADMIN):
        found = await roles.get_role(tx, name=role)
        check_may_do_as_much(principal, None if found is None else found.permissions)


def check_may_do_as_much(principal: Principal, permissions: Sequence[str] | None) -> None:
    """Check that the role has no more permissions than the caller.

    Raises:
        AppError: FORBIDDEN if the role has more permissions.
    """
    access.check_superset(principal, permissions, "the role has permissions that you do not have")


async def change(
    db: Database,
    principal: Principal,
    account_id: UUID,
    given: PersonChange,
    version: int | None,
    limits: Limits,
) -> None:
    """Apply a partial update. A new email address must be verified.

    Raises:
        AppError: BAD_REQUEST without changes; NOT_FOUND; FORBIDDEN; PRECONDITION_FAILED; CONFLICT
            if the new address is in use; RATE_LIMIT_EXCEEDED for too many new addresses of one
            account, or too many emails to one address.
    """
    if given == PersonChange():
        raise AppError(Code.BAD_REQUEST, "user not updated")
    names = check_names(
        **{
            field: value
            for field in ("first_name", "last_name")
            if not isinstance(value := getattr(given, field), UnsetType)
        }
    )
    if given.email is not UNSET:
        await _count_address(db, principal, account_id, given.email, limits)
    async with db.transaction() as tx:
        person = await lock(tx, principal, account_id, version)
        if given.employment is not UNSET:
            await _change_employment(tx, principal, account_id, given.employment)
        await profiles.update_person(
            tx,
            id=account_id,
            first_name=names.get("first_name"),
            last_name=names.get("last_name"),
            phone_number=None if given.phone_number is UNSET else given.phone_number,
            updated_by=principal.subject,
        )
        if given.email is not UNSET and given.email.lower() == person.email.lower():
            await profiles.respell_email(tx, id=account_id, email=given.email)
        elif given.email is not UNSET:
            # Who reads the mails of an account can set its password.
            await standing.check_session(tx, principal, fresh=True)
            await _change_email(tx, person, given.email)
        changed = [field for field in given.__struct_fields__ if getattr(given, field) is not UNSET]
        await audit.record(tx, "account.changed", account_id, fields=changed)
        await publish_account_event(tx, "updated", account_id)


async def set_status(
    db: Database,
    principal: Principal,
    account_id: UUID,
    status: AccountStatus,
    version: int | None,
) -> None:
    """Activate or deactivate an account. Deactivating ends the account's sessions.

    Raises the errors of `change`.
    """
    async with db.transaction() as tx:
        await lock_administrators(tx)
        person = await lock(tx, principal, account_id, version)
        if person.status is status:
            return
        done = "activated" if status is AccountStatus.ACTIVE else "deactivated"
        # Published before the ends of its sessions: sockets are closed for this reason.
        await publish_account_event(tx, done, account_id)
        if status is AccountStatus.INACTIVE:
            await keep_an_administrator(tx, person)
            await sessions.end_all(tx, account_id, because="deactivated")
        await profiles.set_status(tx, id=account_id, status=status, updated_by=principal.subject)
        await audit.record(tx, f"account.{done}", account_id)


async def lock(
    tx: Executor, principal: Principal, account_id: UUID, version: int | None
) -> LockPersonRow:
    """Lock an account. Check that the caller may change it, and that `version` is None or current.

    Raises:
        AppError: NOT_FOUND, FORBIDDEN or PRECONDITION_FAILED.
    """
    # Permissions also allow more on the caller's own account: to set its role, to activate it.
    if principal.permissions or not access.is_own(principal, account_id):
        await standing.check(tx, principal)
    else:
        await standing.check_session(tx, principal, second_factor=True)
    person = or_not_found(await profiles.lock_person(tx, id=account_id), "user")
    await check_rank(tx, principal, account_id, person.role)
    if person.status is not AccountStatus.ACTIVE and not access.may_manage(principal):
        raise AppError(Code.FORBIDDEN, "the account is not active")
    check_version(version, person.version)
    return person


async def check_rank(
    tx: Executor, principal: Principal, account_id: UUID, role: AccountRole
) -> None:
    """Check that the caller is the owner or has every permission of the account.

    Raises:
        AppError: FORBIDDEN if the account has this role or other permissions that the caller does
            not have.
    """
    access.check_rank(principal, account_id, role)
    if not access.is_own(principal, account_id):
        theirs = await accounts.permissions_of_account(tx, id=account_id)
        access.check_superset(principal, theirs, "the account has permissions that you do not have")


async def lock_administrators(tx: Executor) -> None:
    """Serialize changes of administrators. Call this function before you take any other lock."""
    await roles.lock_role(tx, name=AccountRole.ADMIN)


async def keep_an_administrator(tx: Executor, person: LockPersonRow) -> None:
    """Refuse to remove the last active administrator. See `lock_administrators`.

    Raises:
        AppError: CONFLICT for the last active administrator.
    """
    is_one = person.role is AccountRole.ADMIN and person.status is AccountStatus.ACTIVE
    if is_one and not await roles.other_administrators(tx, id=person.id):
        raise AppError(Code.CONFLICT, "the last administrator cannot be removed")


async def publish_account_event(
    tx: Executor, what: str, account_id: UUID, *, role: AccountRole | None = None
) -> None:
    """Publish a change of an account, with its new role if the role changed."""
    await publish(
        tx,
        topic=TOPIC,
        key=str(account_id),
        kind=f"user.{what}",
        payload=UserChanged(account_id) if role is None else RoleChanged(account_id, role),
    )


async def _change_employment(
    tx: Executor, principal: Principal, account_id: UUID, given: Employment | UnsetType | None
) -> None:
    if not principal.may(access.WRITE):
        raise forbidden("only account managers may change employment data")
    if given is None:
        await staff.remove_staff(tx, id=account_id)
    elif not isinstance(given, UnsetType):
        check_salary(given)
        await _employ(tx, account_id, given)


async def _employ(tx: Executor, account_id: UUID, given: Employment) -> None:
    await staff.put_staff(
        tx,
        id=account_id,
        department_id=given.department_id,
        age=given.age,
        salary=given.salary,
    )


async def _count_address(
    db: Database, principal: Principal, account_id: UUID, email: str, limits: Limits
) -> None:
    """Count an attempt to change an email address, to limit how many addresses a caller can probe.

    The count is per account and caller, so another caller cannot use up the owner's attempts.
    """
    person = await profiles.get_person(db, id=account_id)
    if person is not None and person.email.lower() == email.lower():
        return
    by_account = throttle.key("address-of", str(account_id), principal.subject)
    async with db.transaction() as tx:
        await throttle.take(tx, {by_account: limits.pair, **limits.of("address", email)})


async def _change_email(tx: Executor, person: LockPersonRow, email: str) -> None:
    with change_errors(taken=EMAIL_TAKEN):
        await profiles.change_email(tx, id=person.id, email=email)
    await identities.unprove_identities(tx, account_id=person.id)
    await check_free(tx, email, person.id)
    # Links that went to the former address are worth nothing from now on, but for those to undo.
    for kind in (TokenKind.VERIFY_EMAIL, TokenKind.RESET_PASSWORD):
        await tokens.spend_tokens(tx, account_id=person.id, kind=kind)
    if person.verified:  # else it may be anybody's, who has nothing to do with us
        await addresses.add_former_address(tx, account_id=person.id, email=person.email)
        await _mail(tx, "email_changed", person.id, person.email)
    await _mail(tx, "verify_email" if person.can_log_in else "invitation", person.id, email)


async def _mail(tx: Executor, template: str, account_id: UUID, recipient: str) -> None:
    await mail.add_mail(
        tx, id=new_id(), template=template, account_id=account_id, recipient=recipient
    )
