"""Second factors: adding a factor requires a recent sign-in; a session verifies a factor once.

If the account has a second factor or its role needs one, the tokens of a session have no
permissions until the session has verified a factor.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import pyotp
from msgspec import Meta, Struct

from lib.auth import Principal
from lib.auth.guards import forbidden
from lib.auth.opaque import digest
from lib.auth.principal import unauthorized
from lib.clock import Clock, utc_now
from lib.db import Database, Executor
from lib.errors import AppError, Code, FieldError, invalid, not_found
from lib.resource.rules import change_errors
from services.user.model.second_factors import NewPasskey, Shown
from services.user.personal_ids import PersonalIds
from services.user.service import accounts, audit, notices, sessions, standing, throttle
from services.user.service.counting import counted
from services.user.service.passkeys import RelyingParty, id_of
from services.user.service.throttle import Limit, Limits
from services.user.store import profiles
from services.user.store import second_factors as store

_ISSUER: Final = "Marketplace"
_STEP_SECONDS: Final = 30
# A clock may be that many steps wrong, to either side.
_DRIFT: Final = 1
_CODES: Final = 10
_CODE_BYTES: Final = 10
_MOST_PASSKEYS: Final = 20


class PasskeyView(Struct, frozen=True):
    """A passkey of the caller."""

    id: Annotated[str, Meta(examples=["01020304"])]
    name: str
    created_at: datetime
    used_at: datetime | None


class SecondFactors(Struct, frozen=True):
    """The second factors of the account, and whether this session has verified a factor."""

    totp: bool
    passkeys: list[PasskeyView]
    recovery_codes: int
    shown: bool


class NewAuthenticator(Struct, frozen=True):
    """The secret for an authenticator app, as text and as an `otpauth:` URI for a QR code."""

    secret: Annotated[str, Meta(examples=["JBSWY3DPEHPK3PXP"])]
    uri: Annotated[str, Meta(examples=["otpauth://totp/ada@example.com?secret=JBSWY3DPEHPK3PXP"])]


class IssuedRecoveryCodes(Struct, frozen=True):
    """Recovery codes. Each works once.

    If the account already has recovery codes, the response has no new codes.
    """

    recovery_codes: Annotated[list[str], Meta(examples=[["k7wq-2m9x-p4td"]])]


@dataclass(frozen=True, slots=True)
class Policy:
    """The relying party, the limits and the clock for the verification of second factors."""

    party: RelyingParty
    limits: Limits
    clock: Clock = utc_now


async def overview(db: Executor, principal: Principal, account_id: UUID) -> SecondFactors:
    """Return the caller's second factors."""
    authenticator = await store.get_authenticator(db, account_id=account_id)
    found = await standing.of_session(db, principal)
    return SecondFactors(
        totp=authenticator is not None and authenticator.confirmed,
        passkeys=[
            PasskeyView(row.id.hex(), row.name, row.created_at, row.used_at)
            for row in await store.list_passkeys(db, account_id=account_id)
        ],
        recovery_codes=await store.count_recovery_codes(db, account_id=account_id),
        shown=found is not None and found.shown,
    )


async def begin_totp(
    db: Database, sealing: PersonalIds, principal: Principal, account_id: UUID
) -> NewAuthenticator:
    """Return a new secret, which takes effect with its first code.

    Raises the errors of `_may_change`.
    """
    secret = pyotp.random_base32()
    async with db.transaction() as tx:
        await _may_change(tx, principal)
        person = await accounts.get(tx, account_id)
        sealed = sealing.encrypt(secret, account_id)
        if not await store.put_authenticator(
            tx, account_id=account_id, secret=sealed.ciphertext, key_id=sealed.key_id
        ):
            raise AppError(Code.CONFLICT, "there is already an authenticator: remove it first")
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name=_ISSUER)
    return NewAuthenticator(secret, uri)


async def confirm_totp(
    db: Database,
    sealing: PersonalIds,
    policy: Policy,
    principal: Principal,
    account_id: UUID,
    code: str,
) -> IssuedRecoveryCodes:
    """Confirm the new authenticator with its first code. Other sessions end.

    Raises:
        AppError: as `show` does for a wrong code; FORBIDDEN; NOT_FOUND if there is no authenticator
            to confirm.
    """
    counted_by = _counted_by(policy, account_id)
    async with counted(db, counted_by) as attempt, db.transaction() as tx:
        await _may_change(tx, principal)
        if not await _spend_code(tx, sealing, policy, account_id, code, confirmed=False):
            attempt.wrong = True
            raise _wrong()
        await throttle.reset_after_success(tx, counted_by)
        return await _added(tx, principal, account_id, "totp")


async def show(
    db: Database, sealing: PersonalIds, policy: Policy, principal: Principal, given: Shown
) -> None:
    """Record in the session that a second factor was verified.

    Access tokens state the verification after the next refresh.

    Wrong codes are counted as wrong passwords are. Attempts with a passkey are not counted, because
    its signature cannot be guessed.

    Raises:
        AppError: UNAUTHORIZED for a wrong or used code; RATE_LIMIT_EXCEEDED; VALIDATION_ERROR.
    """
    account_id = _account_of(principal)
    if [given.code, given.recovery_code, given.passkey].count(None) != 2:
        raise invalid(FieldError("code", "send exactly one of code, recovery_code and passkey"))
    # Only codes can be guessed. Other factors are not counted, so an attacker cannot lock the owner
    # out of them.
    counted_by = {} if given.code is None else _counted_by(policy, account_id)
    async with counted(db, counted_by) as attempt:
        try:
            async with db.transaction() as tx:
                await standing.check_session(tx, principal)
                kind = await _shown(tx, sealing, policy, principal, account_id, given)
                await throttle.reset_after_success(tx, counted_by)
                await store.note_shown(tx, id=_session_of(principal), account_id=account_id)
                await audit.record(tx, "second_factor.shown", account_id, kind=kind)
        except AppError as error:
            if error.code is Code.UNAUTHORIZED:
                attempt.wrong = True
                await audit.record(db, "second_factor.failed", account_id)
            raise


async def new_recovery_codes(
    db: Database, principal: Principal, account_id: UUID
) -> IssuedRecoveryCodes:
    """Replace the recovery codes and return the new codes. Raises the errors of `_may_change`."""
    async with db.transaction() as tx:
        await _may_change(tx, principal)
        if not await store.is_enrolled(tx, account_id=account_id):
            raise AppError(Code.CONFLICT, "the account has no second factor")
        await store.remove_recovery_codes(tx, account_id=account_id)
        await audit.record(tx, "second_factor.recovery_codes", account_id)
        return await _recovery_codes(tx, account_id)


async def begin_passkey(
    db: Database, policy: Policy, principal: Principal, account_id: UUID
) -> dict[str, Any]:
    """Return the options for a new passkey. Raises the errors of `_may_change`."""
    async with db.transaction() as tx:
        await _may_change(tx, principal)
        person = await accounts.get(tx, account_id)
        known = await store.list_passkeys(tx, account_id=account_id)
        if len(known) >= _MOST_PASSKEYS:
            raise AppError(Code.CONFLICT, f"an account can have at most {_MOST_PASSKEYS} passkeys")
        options = policy.party.creation(account_id.bytes, person.email, [one.id for one in known])
        await store.put_challenge(
            tx, session_id=_session_of(principal), purpose="add", challenge=options.challenge
        )
    return options.public


async def add_passkey(
    db: Database, policy: Policy, principal: Principal, account_id: UUID, given: NewPasskey
) -> IssuedRecoveryCodes:
    """Store a new passkey. If the account had no second factor, all its other sessions end.

    Raises:
        AppError: VALIDATION_ERROR, also if the response belongs to no challenge of this service;
            CONFLICT; FORBIDDEN.
    """
    with change_errors(taken="this passkey is registered already"):
        async with db.transaction() as tx:
            await _may_change(tx, principal)
            challenge = await _challenge(tx, principal, "add")
            made = policy.party.verify_new(given.credential, challenge)
            await store.add_passkey(
                tx,
                id=made.id,
                account_id=account_id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                name=given.name,
            )
            return await _added(tx, principal, account_id, "passkey")


async def ask_passkey(db: Database, policy: Policy, principal: Principal) -> dict[str, Any]:
    """Return a challenge for the caller's passkeys. Raises NOT_FOUND without passkeys."""
    account_id = _account_of(principal)
    async with db.transaction() as tx:
        await standing.check_session(tx, principal)
        known = await store.list_passkeys(tx, account_id=account_id)
        if not known:
            raise not_found("passkey")
        options = policy.party.request([one.id for one in known])
        await store.put_challenge(
            tx, session_id=_session_of(principal), purpose="show", challenge=options.challenge
        )
    return options.public


async def remove_totp(db: Database, principal: Principal, account_id: UUID) -> None:
    """Remove the caller's authenticator.

    Raises the errors of `_may_change`, and NOT_FOUND without an authenticator.
    """
    async with db.transaction() as tx:
        await _may_change(tx, principal)
        if not await store.remove_authenticator(tx, account_id=account_id):
            raise not_found("authenticator")
        await _removed(tx, account_id, "totp")


async def remove_passkey(
    db: Database, principal: Principal, account_id: UUID, passkey: bytes
) -> None:
    """Remove one of the caller's passkeys.

    Raises the errors of `_may_change`, and NOT_FOUND for an unknown passkey.
    """
    async with db.transaction() as tx:
        await _may_change(tx, principal)
        if not await store.remove_passkey(tx, id=passkey, account_id=account_id):
            raise not_found("passkey")
        await _removed(tx, account_id, "passkey")


async def remove_all_of(db: Database, principal: Principal, account_id: UUID) -> None:
    """Remove a user's second factors.

    Call this function only after an administrator has verified the user's identity.

    Raises:
        AppError: NOT_FOUND; FORBIDDEN, also for the caller's own second factors.
    """
    if principal.account_id == account_id:
        raise forbidden("you cannot reset your own second factors here; remove each factor")
    async with db.transaction() as tx:
        await standing.check(tx, principal, fresh=True)
        await accounts.lock(tx, principal, account_id, None)
        await erase(tx, account_id)
        await audit.record(tx, "second_factor.removed", account_id, kind="all")
        await notices.notify(tx, account_id, "second_factor_changed")


async def erase(tx: Executor, account_id: UUID) -> None:
    """Remove all second factors."""
    await store.remove_authenticator(tx, account_id=account_id)
    await store.remove_passkeys(tx, account_id=account_id)
    await store.remove_recovery_codes(tx, account_id=account_id)


async def _may_change(tx: Executor, principal: Principal) -> None:
    """Check for a recent sign-in, a verified address, and a verified second factor, if any.

    Concurrent changes are serialized: the first factor that is added ends the other sessions.

    Raises:
        AppError: FORBIDDEN if one of these is missing.
    """
    _session_of(principal)
    person = await profiles.lock_person(tx, id=_account_of(principal))
    if person is None or not person.verified:  # the token may be from before another address
        raise forbidden("verify your email address first")
    await standing.check_session(tx, principal, fresh=True)


def _counted_by(policy: Policy, account_id: UUID) -> Mapping[bytes, Limit]:
    # Known devices have no separate limit here: anyone with the password gets a device token.
    return policy.limits.of("second-factor", str(account_id))


async def _shown(
    tx: Executor,
    sealing: PersonalIds,
    policy: Policy,
    principal: Principal,
    account_id: UUID,
    given: Shown,
) -> str:
    if given.code is not None:
        if not await _spend_code(tx, sealing, policy, account_id, given.code, confirmed=True):
            raise _wrong()
        return "totp"
    if given.recovery_code is not None:
        hashed = digest(_tidy(given.recovery_code))
        if not await store.spend_recovery_code(tx, hash=hashed, account_id=account_id):
            raise _wrong()
        await notices.notify(tx, account_id, "second_factor_changed")
        return "recovery_code"
    credential = given.passkey or {}
    challenge = await _challenge(tx, principal, "show")
    key = await store.lock_passkey(tx, id=id_of(credential), account_id=account_id)
    if key is None:
        raise _wrong()
    count = policy.party.verify(credential, challenge, key)
    await store.note_passkey_used(tx, id=key.id, sign_count=count)
    return "passkey"


async def _spend_code(
    tx: Executor,
    sealing: PersonalIds,
    policy: Policy,
    account_id: UUID,
    code: str,
    *,
    confirmed: bool,
) -> bool:
    found = await store.get_authenticator(tx, account_id=account_id)
    if found is None or found.confirmed is not confirmed:
        return False
    totp = pyotp.TOTP(sealing.decrypt(found.secret, found.key_id, account_id))
    now = int(policy.clock().timestamp()) // _STEP_SECONDS
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        if secrets.compare_digest(totp.generate_otp(step), code):
            spent = await store.spend_step(
                tx, account_id=account_id, step=step, confirmed=confirmed
            )
            return spent > 0
    return False


async def _challenge(tx: Executor, principal: Principal, purpose: str) -> bytes:
    found = await store.spend_challenge(tx, session_id=_session_of(principal), purpose=purpose)
    if found is None:
        raise invalid(
            FieldError(
                "passkey", "its challenge is missing or has expired: request a new challenge"
            )
        )
    return found


async def _added(
    tx: Executor, principal: Principal, account_id: UUID, kind: str
) -> IssuedRecoveryCodes:
    session_id = _session_of(principal)
    await store.note_shown(tx, id=session_id, account_id=account_id)
    await sessions.end_all_but(tx, account_id, session_id, because="second_factor_added")
    await audit.record(tx, "second_factor.added", account_id, kind=kind)
    await notices.notify(tx, account_id, "second_factor_changed")
    if await store.count_recovery_codes(tx, account_id=account_id):
        return IssuedRecoveryCodes([])
    return await _recovery_codes(tx, account_id)


async def _removed(tx: Executor, account_id: UUID, kind: str) -> None:
    if not await store.is_enrolled(tx, account_id=account_id):
        await erase(tx, account_id)
    await audit.record(tx, "second_factor.removed", account_id, kind=kind)
    await notices.notify(tx, account_id, "second_factor_changed")


async def _recovery_codes(tx: Executor, account_id: UUID) -> IssuedRecoveryCodes:
    codes = [b32encode(secrets.token_bytes(_CODE_BYTES)).decode() for _ in range(_CODES)]
    hashes = [digest(code) for code in codes]
    await store.add_recovery_codes(tx, hashes=hashes, account_id=account_id)
    return IssuedRecoveryCodes(
        ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes]
    )


def _tidy(code: str) -> str:
    return code.replace("-", "").replace(" ", "").upper()


def _wrong() -> AppError:
    return unauthorized("the second factor is wrong, or was already used")


def _account_of(principal: Principal) -> UUID:
    if principal.account_id is None:
        raise AppError(Code.FORBIDDEN, "a service has no account")
    return principal.account_id


def _session_of(principal: Principal) -> UUID:
    if not principal.session:
        raise forbidden("this request requires a recent sign-in: sign in again")
    return UUID(principal.session)
