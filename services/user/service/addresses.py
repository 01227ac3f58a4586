"""Undo a change of the email address, with the link sent to the former address."""

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
from services.user.store.models import TokenKind


async def undo(db: Database, token: str) -> None:
    """Restore the former address as verified, and end every session.

    What a stranger may have done since goes as well: later changes of the address, second factors
    and identities that were added, and the password, for which a link is mailed.

    Raises:
        AppError: UNAUTHORIZED where the token is unknown or expired, or the account is not active;
            CONFLICT where it was used.
    """
    hashed = digest(token)
    async with db.transaction() as tx:
        spent = await tokens.spend_token(tx, hash=hashed, kind=TokenKind.UNDO_EMAIL)
        if spent is None:
            found = await tokens.get_token(tx, hash=hashed, kind=TokenKind.UNDO_EMAIL)
            raise refused(used=found is not None and found.used)
        account = await accounts.lock_account(tx, id=spent.account_id)
        former = await addresses.get_former_address(
            tx, account_id=spent.account_id, email=spent.email
        )
        if account is None or former is None:
            raise refused(used=False)
        with change_errors(taken="the address belongs to another account"):
            restored = await addresses.restore_address(tx, id=account.id, email=spent.email)
        if not restored:
            raise refused(used=False)
        await addresses.remove_former_addresses_since(tx, account_id=account.id, since=former)
        await _remove_factors(tx, account.id, since=former)
        await identities.remove_identities_since(tx, account_id=account.id, since=former)
        for kind in (TokenKind.VERIFY_EMAIL, TokenKind.RESET_PASSWORD):
            await tokens.spend_tokens(tx, account_id=account.id, kind=kind)
        await sessions.end_all(tx, account.id, because="address_restored")
        await mail.add_mail(
            tx,
            id=new_id(),
            template="reset_password",
            account_id=account.id,
            recipient=spent.email,
        )
        await audit.record(tx, "email.restored", account.id, actor=account.id)
        await people.publish_account_event(tx, "updated", account.id)


async def _remove_factors(tx: Executor, account_id: UUID, *, since: datetime) -> None:
    await addresses.remove_authenticator_since(tx, account_id=account_id, since=since)
    await addresses.remove_passkeys_since(tx, account_id=account_id, since=since)
    if not await second_factors.is_enrolled(tx, account_id=account_id):
        await second_factors.remove_recovery_codes(tx, account_id=account_id)
