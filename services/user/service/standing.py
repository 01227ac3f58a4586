"""Check that the account, role and session behind a token are still valid.

After a change of the account, the role or the session, an access token stays valid for some
minutes.

This time is too long for changes of accounts and roles, and for stolen tokens.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from lib.auth import Principal, Role
from lib.auth.guards import forbidden
from lib.db import Executor
from services.user.store import profiles, second_factors
from services.user.store.models import AccountStatus
from services.user.store.second_factors import GetSessionStandingRow

# A caller who grants permissions must have signed in within this time.
_FRESH_SECONDS: Final = 900.0


async def check(tx: Executor, principal: Principal, *, fresh: bool = False) -> None:
    """Check that the account is active and has the token's role, and the token's session is open.

    This also decides between two administrators who demote each other at the same time: the second
    administrator has lost the role by then.

    Raises:
        AppError: FORBIDDEN if a check fails, or if `fresh` is true and the sign-in is not recent.
    """
    if principal.account_id is None:  # a service's token has no account
        return
    caller = await profiles.get_person(tx, id=principal.account_id)
    is_active = caller is not None and caller.status is AccountStatus.ACTIVE
    if caller is None or not is_active or not principal.has_any(Role(caller.role)):
        raise forbidden("your account has changed; sign in again")
    await check_session(tx, principal, fresh=fresh, second_factor=True)


async def check_session(
    db: Executor, principal: Principal, *, fresh: bool = False, second_factor: bool = False
) -> None:
    """Check that the session has not ended since the token was issued. Raises FORBIDDEN.

    With `fresh` or `second_factor`, a caller who has a second factor must have verified it.
    """
    if principal.account_id is None:
        return
    found = await of_session(db, principal)
    if principal.session and found is None:
        raise forbidden("your session has ended; sign in again")
    if fresh and (found is None or found.seconds > _FRESH_SECONDS):
        raise forbidden("this request requires a recent sign-in: sign in again")
    if (fresh or second_factor) and found is not None and found.enrolled and not found.shown:
        raise forbidden("verify your second factor first")


async def of_session(db: Executor, principal: Principal) -> GetSessionStandingRow | None:
    """Return the state of the caller's session, or None if the token has no active session."""
    if principal.account_id is None or not principal.session:  # every token of a login has one
        return None
    return await second_factors.get_session_standing(
        db, id=UUID(principal.session), account_id=principal.account_id
    )
