"""Log in with an address and a password. Every failure gets the same response."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from lib.auth.principal import unauthorized
from lib.db import Database, Executor
from lib.errors import AppError, Code
from services.user import origin
from services.user.model.account import Login
from services.user.passwords import Passwords
from services.user.service import audit, opening, throttle
from services.user.service.counting import counted
from services.user.service.devices import Devices
from services.user.service.sessions import SignedIn, TokenPolicy
from services.user.service.throttle import Limit, Limits
from services.user.store import accounts
from services.user.store.accounts import GetCredentialsRow
from services.user.store.models import AccountStatus


async def log_in(
    db: Database,
    passwords: Passwords,
    policy: TokenPolicy,
    limits: Limits,
    devices: Devices,
    given: Login,
) -> tuple[SignedIn, str]:
    """Check the password. Return a new session and the token of its device.

    Attempts with the token of a device that the owner has used are counted separately from other
    attempts.

    Raises:
        AppError: UNAUTHORIZED, with the same message and after the same time for a wrong address
            and a wrong password; RATE_LIMIT_EXCEEDED after too many failures, or too many new
            sessions of one account; FORBIDDEN if the password is correct but the account is
            deactivated.
    """
    # Lowered here once: the database treats some letters as equal (`İ` and `i`), but the limits
    # count them separately.
    email = given.email.lower()
    found = await accounts.get_credentials(db, email=email)
    device = None if found is None else devices.known(given.device_token, found.id)
    counted_by = limits.of("login", email, known_as=device)
    async with counted(db, counted_by) as attempt:
        right = await passwords.verify(
            given.password, None if found is None else found.password_hash
        )
        if found is None or not right:
            attempt.wrong = True
            await audit.record(
                db, "login.failed", "unknown" if found is None else found.id, actor=origin.ANONYMOUS
            )
            raise wrong()
        if found.status is not AccountStatus.ACTIVE:
            raise AppError(Code.FORBIDDEN, "the account is not active")
        stored = await _improved(db, passwords, found, given.password)
        signed_in = await _sign_in(db, policy, found.id, email, stored, counted_by, device)
    return signed_in, devices.issue(found.id, device)


async def _sign_in(
    db: Database,
    policy: TokenPolicy,
    account_id: UUID,
    email: str,
    stored: str,
    counted_by: Mapping[bytes, Limit],
    device: str | None,
) -> SignedIn:
    """Open a session for a caller whose password matched the `stored` hash."""
    async with db.transaction() as tx:
        account = await accounts.confirm_login(tx, id=account_id, password_hash=stored)
        if account is None:  # changed while we were hashing
            raise wrong()
        signed_in = await opening.open_session(
            tx,
            policy,
            account_id=account_id,
            role=account.role,
            verified=account.verified,
            device=device,
        )
        await throttle.reset_after_success(tx, counted_by)
        if device is not None:  # and what strangers have tried meanwhile
            await throttle.clear(tx, throttle.counted_for("login", email))
        return signed_in


def wrong() -> AppError:
    """Return the same error for an unknown address and a wrong password."""
    return unauthorized("incorrect email or password")


async def _improved(
    db: Executor, passwords: Passwords, found: GetCredentialsRow, password: str
) -> str:
    """Return the stored hash, or a new hash if the parameters are outdated."""
    stored = found.password_hash or ""
    if not passwords.is_outdated(stored):
        return stored
    renewed = await passwords.hash(password)
    replaced = await accounts.rehash_password(db, id=found.id, old_hash=stored, new_hash=renewed)
    return renewed if replaced else stored
