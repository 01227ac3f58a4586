"""E-mail verification: a mailed token that works once; asking for one tells nobody who exists."""

from __future__ import annotations

from uuid import UUID

from lib.auth import Principal
from lib.auth.opaque import digest
from lib.auth.principal import unauthorized
from lib.db import Database
from lib.errors import AppError, Code, not_found
from lib.events import publish
from lib.ids import new_id
from services.user.service import audit, throttle
from services.user.service.events import TOPIC, UserVerified
from services.user.service.throttle import Limits
from services.user.store import accounts, mail, tokens
from services.user.store.models import TokenKind


async def verify(db: Database, token: str) -> UUID:
    """Verify the address that a token was mailed to; return the account's id.

    Raises:
        AppError: UNAUTHORIZED where the token is unknown, expired or for a former address;
            CONFLICT where it was used; NOT_FOUND where the account is gone. The token is spent
            only if the address is verified.
    """
    async with db.transaction() as tx:
        spent = await tokens.spend_token(tx, hash=digest(token), kind=TokenKind.VERIFY_EMAIL)
        if spent is None:
            found = await tokens.get_token(tx, hash=digest(token), kind=TokenKind.VERIFY_EMAIL)
            raise refused(used=found is not None and found.used)
        account = await accounts.lock_account(tx, id=spent.account_id)
        if account is None or account.status == "deleted":
            raise not_found("user")
        if await accounts.verify_email(tx, id=account.id, email=spent.email) is None:
            raise refused(used=False)
        await mail.add_mail(
            tx,
            id=new_id(),
            template="email_verified",
            account_id=account.id,
            recipient=account.email,
        )
        await audit.record(tx, "email.verified", account.id, actor=account.id)
        await publish(
            tx,
            topic=TOPIC,
            key=str(account.id),
            kind="user.verified",
            payload=UserVerified(account.id),
        )
    return spent.account_id


async def ask_again(db: Database, email: str, caller: Principal | None, limits: Limits) -> None:
    """Mail a new link if the address belongs to an account that is not verified.

    Nobody learns which addresses have accounts: the answer and the work are the same for all. Only
    the owner, signed in, is told that the address is verified already.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED after too many requests for one address, known or not;
            CONFLICT for the owner of a verified address.
    """
    is_verified = None if caller is None else await _is_verified_own(db, email, caller)
    if is_verified:
        raise AppError(Code.CONFLICT, "user is already verified")
    # Strangers who ask for this address do not use up what its owner may ask for.
    owner = None if caller is None or is_verified is None else caller.subject
    # One transaction: whether there is a mail to write or not, there is one commit to wait for.
    async with db.transaction() as tx:
        await throttle.take(tx, limits.of("verify", email, known_as=owner))
        await mail.ask_to_verify(tx, id=new_id(), email=email)


def refused(*, used: bool) -> AppError:
    """Return the error for a mailed token that does not work (any more)."""
    if used:
        return AppError(Code.CONFLICT, "the token was used already")
    return unauthorized("the token is invalid or expired")


async def _is_verified_own(db: Database, email: str, caller: Principal) -> bool | None:
    """Return whether the caller's address is verified; None where it is not the caller's."""
    if caller.account_id is None:  # a service
        return None
    return await accounts.is_verified_address(db, id=caller.account_id, email=email)
