"""Delete accounts: most data at once, and the name after a retention time."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from lib.auth import Principal
from lib.db import Database, Executor
from lib.store import idempotency
from services.user import origin
from services.user.service import audit, sessions, standing
from services.user.service.accounts import (
    keep_an_administrator,
    lock,
    lock_administrators,
    publish_account_event,
)
from services.user.store import (
    addresses,
    identities,
    mail,
    profiles,
    provider_requests,
    staff,
    tokens,
)
from services.user.store import second_factors as store
from services.user.store.profiles import LockPersonRow

_NOW: Final = 0.0


async def delete(db: Database, principal: Principal, account_id: UUID, version: int | None) -> None:
    """Delete an account: disable it, free its address and remove its picture.

    `erase_old` erases the person's data later. An event requests that the other services erase
    their data about the person.

    Raises:
        AppError: NOT_FOUND; FORBIDDEN; PRECONDITION_FAILED; CONFLICT for the last administrator.
    """
    async with db.transaction() as tx:
        await lock_administrators(tx)
        person = await lock(tx, principal, account_id, version)
        await standing.check_session(tx, principal, fresh=True)
        await keep_an_administrator(tx, person)
        # Published before the ends of its sessions: sockets are closed for this reason.
        await publish_account_event(tx, "deleted", account_id)
        await _remove(tx, person, by=principal.subject)


async def erase_old(db: Database, *, keep_days: int, most: int) -> int:
    """Erase the names of accounts deleted more than `keep_days` ago. Return the number of accounts.

    The event that requests the erasure is published once more. An access token stays valid for some
    minutes after the deletion, so other services may have stored data after their first erasure.
    """
    async with db.transaction() as tx:
        erased = await profiles.erase_accounts(tx, keep_days=keep_days, batch_size=most)
        for account_id in erased:
            await audit.record(tx, "account.erased", account_id, actor=origin.SYSTEM)
            await publish_account_event(tx, "erased", account_id)
    return len(erased)


async def erase_again(db: Database, account_id: UUID, deleted_at: datetime) -> bool:
    """Delete an account again after a restore of the database. Return whether it existed there.

    The events for the other services are published in any case, because their databases may have
    been restored too. The name and the address are erased at the same time as without the restore.
    """
    async with db.transaction() as tx:
        person = await profiles.lock_person(tx, id=account_id)
        if person is not None:
            await _remove(tx, person, by=origin.SYSTEM)
            await profiles.set_deleted_at(tx, id=account_id, deleted_at=deleted_at)
        for what in ("deleted", "erased"):
            await publish_account_event(tx, what, account_id)
    return person is not None


async def _remove(tx: Executor, person: LockPersonRow, *, by: str) -> None:
    await sessions.end_all(tx, person.id, because="deleted", actor=by)
    await tokens.erase_tokens(tx, account_id=person.id)
    await mail.erase_mail(tx, account_id=person.id)
    await addresses.erase_former_addresses(tx, account_id=person.id)
    await provider_requests.erase_request(tx, account_id=person.id)
    await idempotency.erase_answers(tx, principal=str(person.id))
    await identities.remove_identities(tx, account_id=person.id)
    await store.remove_authenticator(tx, account_id=person.id)
    await store.remove_passkeys(tx, account_id=person.id)
    await store.remove_recovery_codes(tx, account_id=person.id)
    await staff.remove_staff(tx, id=person.id)
    await profiles.remove_provider(tx, account_id=person.id)
    if person.picture_key is not None:
        await profiles.add_file_to_remove(tx, key=person.picture_key, seconds=_NOW)
    await profiles.delete_account(tx, id=person.id, updated_by=by)
    await audit.record(tx, "account.deleted", person.id, actor=by)
