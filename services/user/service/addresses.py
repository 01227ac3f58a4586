"""Undo a change of the email address, with a link sent to the former or the new address.

At the change, a link that is valid for a week is emailed to the former address. While the new
address is unverified, a password reset for it emails such a link instead, because a stranger may
have entered this address.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from lib.auth.opaque import digest
from lib.db import Database, Executor
from lib.ids import new_id
from lib.resource.rules import change_errors
from services.user.service import accounts as people
from services.user.service import audit, sessions
from services.user.service.verification import refused
from services.user.store import accounts, addresses, identities, mail, second_factors, tokens
from services.user.store.accounts import LockAccountRow
from services.user.store.addresses import GetAddressBeforeRow
from services.user.store.models import TokenKind


async def undo(db: Database, token: str) -> None:
    """Restore a former address as verified, and end every session.

    The link was emailed to the former address or to the current address. In the second case, the
    current address must be unverified: the account gets its last verified address again, and the
    current address becomes free.

    The function also reverts changes since then that a stranger may have made. It removes later
    changes of the address, and second factors and identities that were added, and it emails a link
    to set a new password.

    Raises:
        AppError: UNAUTHORIZED if the token is unknown or expired, the account is not active, or the
            current address was verified meanwhile; CONFLICT if the token was used.
    """
    hashed = digest(token)
    found = await tokens.get_token(db, hash=hashed, kind=TokenKind.UNDO_EMAIL)
    if found is None or found.used or found.expired:
        raise refused(used=found is not None and found.used)
    async with db.transaction() as tx:
        account = await accounts.lock_account(tx, id=found.account_id)
        spent = await tokens.spend_token(tx, hash=hashed, kind=TokenKind.UNDO_EMAIL)
        if spent is None:
            raise refused(used=True)
        if account is None:
            raise refused(used=False)
        former = await _former(tx, account, spent.email)
        if former is None:
            raise refused(used=False)
        since = former.changed_at
        with change_errors(taken="the address belongs to another account"):
            restored = await addresses.restore_address(tx, id=account.id, email=former.email)
        if not restored:
            raise refused(used=False)
        await addresses.remove_former_addresses_since(tx, account_id=account.id, since=since)
        await _remove_factors(tx, account.id, since=since)
        await identities.remove_identities_since(tx, account_id=account.id, since=since)
        for kind in (TokenKind.VERIFY_EMAIL, TokenKind.RESET_PASSWORD):
            await tokens.spend_tokens(tx, account_id=account.id, kind=kind)
        await sessions.end_all(tx, account.id, because="address_restored")
        await mail.add_mail(
            tx,
            id=new_id(),
            template="address_restored",
            account_id=account.id,
            recipient=former.email,
        )
        await audit.record(tx, "email.restored", account.id, actor=account.id)
        await people.publish_account_event(tx, "updated", account.id)


async def _former(tx: Executor, account: LockAccountRow, proved: str) -> GetAddressBeforeRow | None:
    """Return the address that the owner of `proved` can restore, and when the account left it."""
    left = await addresses.get_former_address(tx, account_id=account.id, email=proved)
    if left is not None:
        return GetAddressBeforeRow(email=proved, changed_at=left)
    if account.email.lower() != proved.lower():
        return None
    return await addresses.get_address_before(tx, account_id=account.id)


async def _remove_factors(tx: Executor, account_id: UUID, *, since: datetime) -> None:
    await addresses.remove_authenticator_since(tx, account_id=account_id, since=since)
    await addresses.remove_passkeys_since(tx, account_id=account_id, since=since)
    if not await second_factors.is_enrolled(tx, account_id=account_id):
        await second_factors.remove_recovery_codes(tx, account_id=account_id)
