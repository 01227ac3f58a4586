"""Login: an address and a password for a session; the same answer for everyone who has neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib import context
from lib.auth.principal import unauthorized
from lib.db import Database, Executor
from lib.errors import AppError, Code
from lib.limits.client_address import limit_key
from services.user import origin
from services.user.model.account import Login
from services.user.passwords import Passwords
from services.user.service import audit, sessions, throttle
from services.user.service.sessions import SignedIn, TokenPolicy
from services.user.service.throttle import Limit
from services.user.store import accounts, attempts
from services.user.store.accounts import GetCredentialsRow
from services.user.store.models import AccountStatus


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """Attempts that fail: for an account from one address, for an account, from one address.

    The first locks the guesser out; the second bounds many addresses together, the third one
    address that tries many accounts.
    """

    pair: Limit
    account: Limit
    address: Limit

    def of(self, email: str) -> Mapping[bytes, Limit]:
        """Return the limits by what they count, `pair` first."""
        address = limit_key(context.client.get())
        return {
            throttle.key("login", email, address): self.pair,
            throttle.key("login", email): self.account,
            throttle.key("login-from", address): self.address,
        }


async def log_in(
    db: Database, passwords: Passwords, policy: TokenPolicy, limits: LoginLimits, given: Login
) -> SignedIn:
    """Return a new session for the right password.

    Raises:
        AppError: UNAUTHORIZED, with the same words and after the same work whether the address or
            the password is wrong; RATE_LIMIT_EXCEEDED after too many failures; FORBIDDEN for a
            right password of an account that was deactivated.
    """
    # Lowered here once: the database takes letters for others (`İ` for `i`) that are counted apart.
    email = given.email.lower()
    counted = limits.of(email)
    await throttle.take(db, counted)
    found = await accounts.get_credentials(db, email=email)
    right = await passwords.verify(given.password, None if found is None else found.password_hash)
    if found is None or not right:
        await audit.record(
            db, "login.failed", "unknown" if found is None else found.id, actor=origin.ANONYMOUS
        )
        raise wrong()
    if found.status is not AccountStatus.ACTIVE:
        raise AppError(Code.FORBIDDEN, "the account is not active")
    stored = await _improved(db, passwords, found, given.password)
    async with db.transaction() as tx:
        account = await accounts.confirm_login(tx, id=found.id, password_hash=stored)
        if account is None:  # changed while we were hashing
            raise wrong()
        await _forgive(tx, counted)
        await audit.record(tx, "login.succeeded", found.id, actor=found.id)
        return await sessions.begin(
            tx, policy, account_id=found.id, role=account.role, verified=account.verified
        )


def wrong() -> AppError:
    """Return the one error for an unknown address and for a wrong password."""
    return unauthorized("incorrect email or password")


async def _forgive(tx: Executor, counted: Mapping[bytes, Limit]) -> None:
    """The pair starts anew; the wider counts only lose the attempt that was none."""
    pair, *wider = counted
    await attempts.forget_attempts(tx, keys=[pair])
    await attempts.take_attempts_back(tx, keys=wider)


async def _improved(
    db: Executor, passwords: Passwords, found: GetCredentialsRow, password: str
) -> str:
    """Return the stored hash, made anew where its parameters are no longer today's."""
    stored = found.password_hash or ""
    if not passwords.is_outdated(stored):
        return stored
    renewed = await passwords.hash(password)
    replaced = await accounts.rehash_password(db, id=found.id, old_hash=stored, new_hash=renewed)
    return renewed if replaced else stored
