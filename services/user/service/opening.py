"""Open a session for a user who has just signed in, with a password or an identity provider."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from lib.db import Executor
from services.user.service import audit, notices, sessions, throttle
from services.user.service.sessions import SignedIn, TokenPolicy
from services.user.service.throttle import Limit
from services.user.store.models import AccountRole

# Each sign-in stores a session and an audit entry, for years; no program needs more of them.
_SUCCESSES: Final = Limit(200, 3600)


async def open_session(
    tx: Executor,
    policy: TokenPolicy,
    *,
    account_id: UUID,
    role: AccountRole,
    verified: bool,
    device: str | None,
    **how: str,
) -> SignedIn:
    """Open a session of an account that `tx` has locked. The audit entry gets the details `how`.

    The owner gets an email if the `device` is unknown.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED after too many sessions of one account.
    """
    await throttle.take(tx, {throttle.key("signed-in", str(account_id)): _SUCCESSES})
    if device is None:
        await notices.notify_new_device(tx, account_id)
    await audit.record(tx, "login.succeeded", account_id, actor=account_id, **how)
    return await sessions.begin(tx, policy, account_id=account_id, role=role, verified=verified)
