"""Email verification by a single-use token. Requests do not reveal which accounts exist."""

from __future__ import annotations

from uuid import UUID

from lib.auth import Principal
from lib.auth.guards import forbidden
from lib.auth.opaque import digest
from lib.auth.principal import unauthorized
from lib.db import Database, Executor
from lib.errors import AppError, Code, not_found
from lib.events import publish
from lib.ids import new_id
from services.user.service import audit, sessions, standing, throttle
from services.user.service.events import TOPIC, UserVerified
from services.user.service.throttle import Limits
from services.user.store import accounts, identities, mail, second_factors, tokens
from services.user.store.models import TokenKind


async def verify(db: Database, token: str, caller: Principal | None) -> UUID:
    """Verify the address that a token was sent to. Return the account ID.

    Whoever registered with the address of somebody else is out from now on: every session that is
    older than the proof ends, except the caller's own.

    Raises:
        AppError: UNAUTHORIZED where the token is unknown, expired or for a former address;
            CONFLICT where it was used; NOT_FOUND where the account is gone; FORBIDDEN where it has
            a second factor, and the caller is not its owner who has shown it. The token is spent
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
        own = caller if caller is not None and caller.account_id == account.id else None
        await _check_factor(tx, account.id, own)
        if await accounts.verify_email(tx, id=account.id, email=spent.email) is None:
            raise refused(used=False)
        if not account.verified:
            await sessions.end_others(tx, account.id, own, because="address_verified")
        if own is not None:  # one person reads the mails and has this session
            await identities.prove_identities(tx, account_id=account.id)
        await mail.add_mail(
            tx,
            id=new_id(),
            template="email_verified",
            account_id=account.id,
            recipient=account.email,
        )
        await say_verified(tx, account.id)
    return spent.account_id


async def say_verified(tx: Executor, account_id: UUID) -> None:
    """Record and publish that the address of an account was verified."""
    await audit.record(tx, "email.verified", account_id, actor=account_id)
    await publish(
        tx,
        topic=TOPIC,
        key=str(account_id),
        kind="user.verified",
        payload=UserVerified(account_id),
    )


async def _check_factor(tx: Executor, account_id: UUID, own: Principal | None) -> None:
    """Require the account's second factor before a new address is verified.

    Whoever has moved an account with a factor to the address of somebody else would keep them out.
    """
    if not await second_factors.is_enrolled(tx, account_id=account_id):
        return
    if own is None:
        raise forbidden("sign in and verify your second factor to verify the address")
    await standing.check_session(tx, own, second_factor=True)


async def ask_again(db: Database, email: str, caller: Principal | None, limits: Limits) -> None:
    """Send a new link if the address belongs to an unverified account.

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
    """Return the error for an invalid or expired emailed token."""
    if used:
        return AppError(Code.CONFLICT, "the token was already used")
    return unauthorized("the token is invalid or expired")


async def _is_verified_own(db: Database, email: str, caller: Principal) -> bool | None:
    """Return whether the address is verified, or None for an address of another account."""
    if caller.account_id is None:  # a service
        return None
    return await accounts.is_verified_address(db, id=caller.account_id, email=email)
