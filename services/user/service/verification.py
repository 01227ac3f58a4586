"""Email verification by a single-use token. Requests do not reveal which accounts exist.

Anyone can register with the address of another person, who then gets the link. So the link alone
verifies nothing: the caller is also signed in to the account, or knows its password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from lib.auth import Principal
from lib.auth.guards import forbidden
from lib.auth.opaque import digest
from lib.auth.principal import unauthorized
from lib.db import Database, Executor
from lib.errors import AppError, Code, not_found
from lib.events import publish
from lib.ids import new_id
from services.user import origin
from services.user.model.account import Verification
from services.user.passwords import Passwords
from services.user.service import audit, sessions, standing, throttle
from services.user.service.counting import counted
from services.user.service.events import TOPIC, UserVerified
from services.user.service.throttle import Limit, Limits
from services.user.store import accounts, identities, mail, profiles, second_factors, tokens
from services.user.store.models import TokenKind
from services.user.store.tokens import GetTokenRow

_RESET: Final = "if you did not create this account, reset its password"
_NOT_HELD: Final = f"sign in on this device, or send the password of the account; {_RESET}"


async def verify(
    db: Database,
    passwords: Passwords,
    limits: Limits,
    given: Verification,
    caller: Principal | None,
) -> UUID:
    """Verify the address that a token was sent to. Return the account ID.

    The caller is signed in to the account, or gives its password. A caller who only reads the
    emails may not know the account at all. Every other session ends.

    Raises:
        AppError: UNAUTHORIZED where the token is unknown, expired or for a former address;
            CONFLICT where it was used; NOT_FOUND where the account is gone; FORBIDDEN where the
            address is to be verified and neither a session nor the password was given, or the
            account has a second factor that the caller has not shown; RATE_LIMIT_EXCEEDED after
            too many wrong passwords, which count as those of logins do. The token is spent only
            if the address is verified.
    """
    hashed = digest(given.token)
    found = await tokens.get_token(db, hash=hashed, kind=TokenKind.VERIFY_EMAIL)
    if found is None or found.used or found.expired:
        raise refused(used=found is not None and found.used)
    counted_by = limits.of("login", found.email)
    known = None
    if given.password is not None and await _own(db, caller, found.account_id) is None:
        known = await _check_password(db, passwords, counted_by, found, given.password)
    async with db.transaction() as tx:
        # The account first, then its tokens, as in `password.reset` and `addresses.undo`: in
        # another order two of them could deadlock.
        account = await accounts.lock_account(tx, id=found.account_id)
        spent = await tokens.spend_token(tx, hash=hashed, kind=TokenKind.VERIFY_EMAIL)
        if spent is None:
            raise refused(used=True)
        if account is None or account.status == "deleted":
            raise not_found("user")
        if account.email.lower() != spent.email.lower():
            raise refused(used=False)
        own = await _own(tx, caller, account.id)
        await _check_factor(tx, account.id, own)
        if not account.verified:
            if own is None:
                await _check_still_known(tx, account.id, known, counted_by)
            await sessions.end_others(tx, account.id, own, because="address_verified")
        if not account.verified or own is not None:  # one person reads the mails and signs in
            await identities.prove_identities(tx, account_id=account.id)
        await accounts.verify_email(tx, id=account.id, email=spent.email)
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


async def _own(db: Executor, caller: Principal | None, account_id: UUID) -> Principal | None:
    """Return the caller if signed in to the account in a session that has not ended, else None."""
    if caller is None or caller.account_id != account_id:
        return None
    return None if await standing.of_session(db, caller) is None else caller


async def _check_password(
    db: Database,
    passwords: Passwords,
    counted_by: Mapping[bytes, Limit],
    found: GetTokenRow,
    password: str,
) -> str | None:
    """Check the password of an account, counted as a login. Return the stored password hash.

    Return None unchecked if it would make no difference. Raises as `verify`.
    """
    person = await profiles.get_person(db, id=found.account_id)
    if person is None or person.verified or person.email.lower() != found.email.lower():
        return None
    if await second_factors.is_enrolled(db, account_id=found.account_id):
        return None
    async with counted(db, counted_by) as attempt:
        stored = await accounts.get_password_hash(db, id=found.account_id)
        if not await passwords.verify(password, stored) or stored is None:
            attempt.wrong = True
            await audit.record(
                db, "email.verification_refused", found.account_id, actor=origin.ANONYMOUS
            )
            raise forbidden(f"incorrect password; {_RESET}")
    return stored


async def _check_still_known(
    tx: Executor, account_id: UUID, known: str | None, counted_by: Mapping[bytes, Limit]
) -> None:
    """Check that the account still has the password hash `known`, and may still log in."""
    if (
        known is None
        or await accounts.confirm_login(tx, id=account_id, password_hash=known) is None
    ):
        raise forbidden(_NOT_HELD)
    await throttle.reset_after_success(tx, counted_by)


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
        raise AppError(Code.CONFLICT, "your email address is already verified")
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
