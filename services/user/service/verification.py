"""Email verification by a single-use token. Responses do not reveal which accounts exist.

Anyone can register with the address of another person, who then gets the link. So the link alone
does not verify the address: the caller must also be signed in to the account, or know its password.
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

    The caller must be signed in to the account, or send its password. A person who only reads the
    emails may not know about the account. All other sessions end.

    Raises:
        AppError: UNAUTHORIZED if the token is unknown, expired or for a former address; CONFLICT if
            it was used; NOT_FOUND if the account does not exist any more; FORBIDDEN if the address
            is unverified and the caller has neither a session nor the password, or has not verified
            the account's second factor; RATE_LIMIT_EXCEEDED after too many wrong passwords, which
            are counted as at a login. The token is marked as used only if the address is verified.
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
    """Check the password of an account, and count a login attempt. Return the stored hash.

    If the result would not matter, return None without a check. Raises the errors of `verify`.
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

    Otherwise, a person could move an account with their own second factor to the address of another
    person, who could then not sign in.
    """
    if not await second_factors.is_enrolled(tx, account_id=account_id):
        return
    if own is None:
        raise forbidden("sign in and verify your second factor to verify the address")
    await standing.check_session(tx, own, second_factor=True)


async def ask_again(db: Database, email: str, caller: Principal | None, limits: Limits) -> None:
    """Send a new link if the address belongs to an unverified account.

    Responses and their duration are the same for all addresses, so no caller learns which addresses
    have accounts. Only the owner, if signed in, gets the information that the address is already
    verified.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED after too many requests for one address, whether or not an
            account has it; CONFLICT if the caller is the owner and the address is verified.
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
    """Return the error for an emailed token that is invalid, expired or used."""
    if used:
        return AppError(Code.CONFLICT, "the token was already used")
    return unauthorized("the token is invalid or expired")


async def _is_verified_own(db: Database, email: str, caller: Principal) -> bool | None:
    """Return whether the address is verified, or None for an address of another account."""
    if caller.account_id is None:  # a service
        return None
    return await accounts.is_verified_address(db, id=caller.account_id, email=email)
