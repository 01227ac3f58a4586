"""Change a password with the current password, or reset a password with an emailed token."""

from __future__ import annotations

from itertools import chain
from typing import Final
from uuid import UUID

from lib.auth.guards import forbidden
from lib.auth.opaque import digest
from lib.auth.principal import unauthorized
from lib.db import Database, Executor
from lib.ids import new_id
from services.user.model.account import PasswordChange, PasswordReset
from services.user.model.common_passwords import check_password
from services.user.passwords import Passwords
from services.user.service import audit, sessions, throttle
from services.user.service.counting import counted
from services.user.service.devices import Devices
from services.user.service.throttle import Limit, Limits
from services.user.service.verification import refused, say_verified
from services.user.store import (
    accounts,
    addresses,
    identities,
    mail,
    profiles,
    second_factors,
    tokens,
)
from services.user.store.models import TokenKind

_DISPUTED: Final = (
    "this account got a new email address a few days ago, and this address is not verified: verify"
    " it, or request another password reset, whose email has a link to restore the former address"
)


async def change(
    db: Database,
    passwords: Passwords,
    account_id: UUID,
    given: PasswordChange,
    limit: Limit,
    *,
    session: str,
) -> None:
    """Change the password and end every session, including the caller's.

    Attempts are counted per session, so a stolen session cannot use up the attempts of other
    sessions.

    Raises:
        AppError: UNAUTHORIZED for a wrong old password; RATE_LIMIT_EXCEEDED after too many
            attempts; VALIDATION_ERROR for a new password that is easy to guess, which does not
            count as an attempt.
    """
    await _check(db, account_id, given.new_password)
    tries = throttle.key("password", str(account_id), session)
    async with counted(db, {tries: limit}) as attempt:
        stored = await accounts.get_password_hash(db, id=account_id)
        if not await passwords.verify(given.old_password, stored) or stored is None:
            attempt.wrong = True
            await audit.record(db, "password.change_refused", account_id)
            raise unauthorized("incorrect password")
        new_hash = await passwords.hash(given.new_password)
        async with db.transaction() as tx:
            await accounts.lock_account(tx, id=account_id)
            # Of several changes at once the first counts: for the others the old one is wrong.
            if await accounts.confirm_login(tx, id=account_id, password_hash=stored) is None:
                raise unauthorized("incorrect password")
            await throttle.clear(tx, [tries])
            await _set(tx, account_id, new_hash, because="password_changed")


async def ask_reset(
    db: Database, email: str, limits: Limits, devices: Devices, device_token: str | None
) -> None:
    """Email a password reset link if an account with a password has the address.

    If no such account exists, the function takes equally long, so the duration reveals nothing.

    The link sets a new password. If the current address is unverified and was changed recently, the
    link restores the former address instead. A request from a known device of the owner has its own
    limit, so other people's requests cannot block the owner.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED after too many requests for one address, whether or not an
            account has it.
    """
    async with db.transaction() as tx:  # one, as in `verification.ask_again`
        found = await accounts.get_credentials(tx, email=email)
        device = None if found is None else devices.known(device_token, found.id)
        await throttle.take(tx, limits.of("reset", email, known_as=device))
        await mail.ask_to_reset(tx, id=new_id(), email=email)


async def reset(db: Database, passwords: Passwords, devices: Devices, given: PasswordReset) -> str:
    """Set a new password with an emailed token, and end every session.

    The token proves the address. If the address was not verified before, the second factors are
    removed as well. The reset is refused if a former address can still undo the change of the
    address, because the undo would also revert the reset. Return the token of a device, because a
    user who can read the owner's emails counts as the owner from now on.

    Raises:
        AppError: UNAUTHORIZED if the token is unknown, expired or for a former address; CONFLICT if
            it was used; VALIDATION_ERROR for a password that is easy to guess, and then the token
            stays valid; FORBIDDEN if the address was changed recently and is not verified, see
            `addresses.undo`.
    """
    hashed = digest(given.token)
    found = await tokens.get_token(db, hash=hashed, kind=TokenKind.RESET_PASSWORD)
    # Asked first: an invented token must not cost us the work of hashing.
    if found is None or found.used or found.expired:
        raise refused(used=found is not None and found.used)
    await _check(db, found.account_id, given.new_password)
    new_hash = await passwords.hash(given.new_password)
    async with db.transaction() as tx:
        account = await accounts.lock_account(tx, id=found.account_id)
        spent = await tokens.spend_token(tx, hash=hashed, kind=TokenKind.RESET_PASSWORD)
        if spent is None:
            raise refused(used=True)
        if (
            account is None
            or account.status != "active"
            or account.email.lower() != spent.email.lower()
        ):
            raise refused(used=False)
        if await addresses.get_address_before(tx, account_id=account.id) is not None:
            raise forbidden(_DISPUTED)
        if not account.verified:
            await _drop_old_factors(tx, account.id, spent.email)
        # Of a user who registered with an address that the provider has not verified.
        await identities.remove_unproved_identities(tx, account_id=account.id)
        await _set(tx, account.id, new_hash, because="password_reset", actor=account.id)
        keys = (throttle.counted_for(what, account.email) for what in ("login", "reset"))
        await throttle.clear(tx, chain.from_iterable(keys))
    return devices.issue(account.id)


async def _drop_old_factors(tx: Executor, account_id: UUID, email: str) -> None:
    """Mark the address as verified. Remove all second factors, identities and former addresses.

    Every reset ends all sessions. In addition, a second factor would lock out the owner of the
    address, and an identity or a former address would let a stranger in again.
    """
    await addresses.erase_former_addresses(tx, account_id=account_id)
    await accounts.verify_email(tx, id=account_id, email=email)
    await tokens.spend_tokens(tx, account_id=account_id, kind=TokenKind.VERIFY_EMAIL)
    if await second_factors.is_enrolled(tx, account_id=account_id):
        await audit.record(tx, "second_factor.removed", account_id, actor=account_id, kind="all")
    await identities.remove_identities(tx, account_id=account_id)
    await second_factors.remove_authenticator(tx, account_id=account_id)
    await second_factors.remove_passkeys(tx, account_id=account_id)
    await second_factors.remove_recovery_codes(tx, account_id=account_id)
    await say_verified(tx, account_id)


async def _check(db: Database, account_id: UUID, password: str) -> None:
    person = await profiles.get_person(db, id=account_id)
    about = () if person is None else (person.email, person.first_name, person.last_name)
    check_password("new_password", password, *about)


async def _set(
    tx: Executor, account_id: UUID, new_hash: str, *, because: str, actor: UUID | None = None
) -> None:
    account = await accounts.lock_account(tx, id=account_id)
    if account is None or not await accounts.set_password(
        tx, id=account_id, password_hash=new_hash, updated_by=str(account_id)
    ):
        raise unauthorized()
    # A link that is still about must not undo this.
    await tokens.spend_tokens(tx, account_id=account_id, kind=TokenKind.RESET_PASSWORD)
    await sessions.end_all(tx, account_id, because=because)
    # Who has never proved the address may be anybody, and it anybody's; who used a link has.
    if account.verified or because == "password_reset":
        await mail.add_mail(
            tx,
            id=new_id(),
            template="password_changed",
            account_id=account_id,
            recipient=account.email,
        )
    await audit.record(tx, f"password.{because.removeprefix('password_')}", account_id, actor=actor)
