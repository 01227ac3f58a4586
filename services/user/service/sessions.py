"""Sessions: a short-lived access token, and refresh tokens that work once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lib.auth import Issuer, Principal, Role
from lib.auth.opaque import digest, new_token
from lib.auth.principal import unauthorized
from lib.clock import Clock, utc_now
from lib.db import Database, Executor
from lib.errors import not_found
from lib.events import publish
from lib.ids import new_id
from lib.log import get_logger
from services.user.service import audit
from services.user.service.events import TOPIC, SessionsEnded
from services.user.store import accounts, identities, second_factors, sessions
from services.user.store.models import AccountRole
from services.user.store.sessions import ListSessionsRow

log = get_logger(__name__)

# An event stays far below what a broker takes.
_PER_EVENT: Final = 500


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """The issuer of access tokens, and the lifetimes of refresh tokens and sessions."""

    issuer: Issuer
    refresh_ttl: timedelta
    session_ttl: timedelta
    # Who has such a role has permissions only in sessions in which a second factor was shown.
    second_factor_roles: frozenset[AccountRole] = frozenset()
    clock: Clock = utc_now


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The new tokens of a session and their account."""

    account_id: UUID
    role: AccountRole
    verified: bool
    session_id: UUID
    # There are no permissions in the token before a second factor was shown.
    second_factor_wanted: bool
    access_token: str = field(repr=False)
    access_ttl: timedelta
    refresh_token: str = field(repr=False)
    refresh_ttl: timedelta


async def begin(
    tx: Executor, policy: TokenPolicy, *, account_id: UUID, role: AccountRole, verified: bool
) -> SignedIn:
    """Open a session for an account whose owner has just authenticated."""
    session_id = new_id()
    now = policy.clock()
    ends = now + min(policy.refresh_ttl, policy.session_ttl)
    await sessions.add_session(tx, id=session_id, account_id=account_id, expires_at=ends)
    return await _tokens(
        tx,
        policy,
        session_id,
        now,
        ends,
        signed_in_at=now,
        account_id=account_id,
        role=role,
        verified=verified,
        shown=False,
    )


async def session_of(db: Executor, refresh_token: str) -> UUID | None:
    """Return the session of a refresh token, even of a used one, or None for an unknown token."""
    found = await sessions.session_of_token(db, hash=digest(refresh_token))
    return None if found is None else found.session_id


async def refresh(db: Database, policy: TokenPolicy, refresh_token: str) -> SignedIn:
    """Exchange a refresh token for new tokens with the current role and verified state.

    If a refresh token is used twice, a thief and the owner may both have it, so the session ends
    for both.

    Raises:
        AppError: UNAUTHORIZED if the token is unknown, used or expired, if the session has ended,
            or if the account is not active.
    """
    async with db.transaction() as tx:
        session_id = await sessions.spend_refresh_token(tx, hash=digest(refresh_token))
        if session_id is None:
            signed_in = None
            await _end_if_reused(tx, refresh_token)
        else:
            signed_in = await _renew(tx, policy, session_id)
    # Raised after the commit: what was found out must last.
    if signed_in is None:
        raise unauthorized("the refresh token is invalid, expired or used")
    return signed_in


async def end(db: Database, session_id: UUID) -> None:
    """End one session, if it has not ended."""
    async with db.transaction() as tx:
        account_id = await sessions.revoke_session(tx, because="logout", id=session_id)
        if account_id is not None:
            await audit.record(tx, "session.ended", account_id, actor=account_id)
            await _publish_ended(tx, account_id, [session_id])


async def end_all(tx: Executor, account_id: UUID, *, because: str, actor: str | None = None) -> int:
    """End every session of an account. Return the number of ended sessions."""
    ended = await sessions.revoke_sessions(tx, account_id=account_id, because=because)
    await audit.record(
        tx, "session.all_ended", account_id, actor=actor, because=because, sessions=len(ended)
    )
    await _publish_ended(tx, account_id, ended)
    return len(ended)


async def end_others(
    tx: Executor, account_id: UUID, own: Principal | None, *, because: str
) -> None:
    """End every session of an account except `own`, the caller's session."""
    if own is None or not own.session:
        await end_all(tx, account_id, because=because)
        return
    ended = await end_all_but(tx, account_id, UUID(own.session), because=because)
    await audit.record(tx, "session.all_ended", account_id, because=because, sessions=ended)


async def end_all_but(tx: Executor, account_id: UUID, kept: UUID, *, because: str) -> int:
    """End every session of an account except `kept`. Return the number of ended sessions."""
    ended = await second_factors.revoke_other_sessions(
        tx, account_id=account_id, id=kept, because=because
    )
    await _publish_ended(tx, account_id, ended)
    return len(ended)


async def end_opened_by(
    tx: Executor, account_id: UUID, identity_id: UUID, kept: UUID, *, because: str
) -> None:
    """End the sessions that an identity has opened, except `kept`."""
    ended = await identities.revoke_identity_sessions(
        tx, identity_id=identity_id, id=kept, because=because
    )
    await audit.record(tx, "session.all_ended", account_id, because=because, sessions=len(ended))
    await _publish_ended(tx, account_id, ended)


async def list_own(db: Executor, account_id: UUID) -> list[ListSessionsRow]:
    """Return the sessions that can still be refreshed."""
    return await sessions.list_sessions(db, account_id=account_id)


async def end_own(db: Database, account_id: UUID, session_id: UUID) -> None:
    """End one session of an account.

    Raises AppError(NOT_FOUND) for a session of another account.
    """
    async with db.transaction() as tx:
        if not await sessions.revoke_own_session(tx, id=session_id, account_id=account_id):
            raise not_found("session")
        await audit.record(tx, "session.ended", account_id)
        await _publish_ended(tx, account_id, [session_id])


async def _renew(tx: Executor, policy: TokenPolicy, session_id: UUID) -> SignedIn | None:
    session = await sessions.lock_session(tx, id=session_id)
    now = policy.clock()
    if session is None or session.created_at + policy.session_ttl <= now:
        return None
    ends = min(now + policy.refresh_ttl, session.created_at + policy.session_ttl)
    await sessions.extend_session(tx, id=session_id, expires_at=ends)
    return await _tokens(
        tx,
        policy,
        session_id,
        now,
        ends,
        signed_in_at=session.created_at,
        account_id=session.account_id,
        role=session.role,
        verified=session.verified,
        shown=session.shown,
    )


async def _end_if_reused(tx: Executor, refresh_token: str) -> None:
    found = await sessions.session_of_token(tx, hash=digest(refresh_token))
    if found is None or not found.spent:
        return
    account_id = await sessions.revoke_session(tx, because="reuse", id=found.session_id)
    if account_id is not None:
        log.warning("refresh_token_reused", session=str(found.session_id))
        await audit.record(tx, "session.reuse_detected", account_id, session=found.session_id)
        await _publish_ended(tx, account_id, [found.session_id])


async def _publish_ended(tx: Executor, account_id: UUID, ended: Sequence[UUID]) -> None:
    for start in range(0, len(ended), _PER_EVENT):
        await publish(
            tx,
            topic=TOPIC,
            key=str(account_id),
            kind="user.sessions_ended",
            payload=SessionsEnded(account_id, tuple(ended[start : start + _PER_EVENT])),
        )


async def _tokens(
    tx: Executor,
    policy: TokenPolicy,
    session_id: UUID,
    now: datetime,
    ends: datetime,
    *,
    signed_in_at: datetime,
    account_id: UUID,
    role: AccountRole,
    verified: bool,
    shown: bool,
) -> SignedIn:
    wanted = not shown and (
        role in policy.second_factor_roles
        or await second_factors.is_enrolled(tx, account_id=account_id)
    )
    token, hashed = new_token()
    await sessions.add_refresh_token(tx, hash=hashed, session_id=session_id, expires_at=ends)
    issued = policy.issuer.issue(
        str(account_id),
        [Role(role)],
        () if wanted else await accounts.permissions_of_account(tx, id=account_id),
        verified=verified,
        session=str(session_id),
        signed_in_at=signed_in_at,
        second_factor_wanted=wanted,
    )
    return SignedIn(
        account_id=account_id,
        role=role,
        verified=verified,
        session_id=session_id,
        second_factor_wanted=wanted,
        access_token=issued.token,
        access_ttl=issued.expires_at - now,
        refresh_token=token,
        refresh_ttl=ends - now,
    )
