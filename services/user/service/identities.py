"""List, link and unlink the identities of an account. Changes require a recent sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from lib.auth import Principal
from lib.auth.guards import forbidden
from lib.db import Database, Executor
from lib.errors import AppError, Code, not_found
from lib.ids import new_id
from lib.resource.rules import change_errors
from services.user.model.identities import IdentityResponse
from services.user.ports import IdentityProviders
from services.user.service import audit, identity_requests, notices, sessions, standing
from services.user.service.identity_requests import Started
from services.user.service.throttle import Limit
from services.user.store import identities, profiles

_MOST: Final = 20


class IdentityView(Struct, frozen=True):
    """A linked identity.

    `provider` is its identity provider's name, or null if the platform no longer offers this
    provider.
    """

    id: UUID
    provider: Annotated[str, Meta(examples=["google"])] | None
    created_at: datetime
    used_at: datetime | None


class LinkedIdentity(Struct, frozen=True):
    """The linked identity, and the path to which the browser should return."""

    id: UUID
    provider: Annotated[str, Meta(examples=["google"])]
    return_to: Annotated[str, Meta(examples=["/settings"])]


async def list_own(
    db: Executor, providers: IdentityProviders, account_id: UUID
) -> list[IdentityView]:
    """Return the identities of an account, oldest first."""
    return [
        IdentityView(row.id, providers.name_of(row.issuer), row.created_at, row.used_at)
        for row in await identities.list_identities(db, account_id=account_id)
    ]


async def begin_link(
    db: Database,
    providers: IdentityProviders,
    limit: Limit,
    principal: Principal,
    name: str,
    *,
    return_to: str,
    browser: str | None,
) -> Started:
    """Start to link an identity, and return the identity provider's URL for the browser.

    Raises the errors of `_may_change` and `begin`.
    """
    async with db.transaction() as tx:
        await _may_change(tx, principal)
    return await identity_requests.begin(
        db,
        providers,
        limit,
        name,
        return_to=return_to,
        browser=browser,
        session_id=_session_of(principal),
    )


async def link(
    db: Database,
    providers: IdentityProviders,
    principal: Principal,
    account_id: UUID,
    name: str,
    given: IdentityResponse,
    browser: str | None,
) -> LinkedIdentity:
    """Link the identity provider's user to the account whose session requested the link.

    Raises:
        AppError: as `identity_requests.finish` and `_may_change` do; CONFLICT if the identity is
            already linked, or if the account has too many identities.
    """
    async with db.transaction() as tx:
        await _may_change(tx, principal)  # before the provider is asked, and again after that
    back = await identity_requests.finish(
        db, providers, name, given, browser=browser, session_id=_session_of(principal)
    )
    identity_id = new_id()
    async with db.transaction() as tx:
        await _may_change(tx, principal)
        known = await identities.list_identities(tx, account_id=account_id)
        if len(known) >= _MOST:
            raise AppError(Code.CONFLICT, f"an account can have at most {_MOST} identities")
        with change_errors(taken="this identity is already linked to an account"):
            await identities.add_identity(
                tx,
                id=identity_id,
                account_id=account_id,
                issuer=back.identity.issuer,
                subject=back.identity.subject,
                # Else what a stranger links would outlive the reset that removes the stranger's.
                proved=all(one.proved for one in known),
            )
        await audit.record(tx, "identity.linked", account_id, provider=name)
        await notices.notify(tx, account_id, "identity_changed")
    return LinkedIdentity(identity_id, name, back.return_to)


async def unlink(
    db: Database,
    providers: IdentityProviders,
    principal: Principal,
    account_id: UUID,
    identity_id: UUID,
) -> None:
    """Remove an identity, and end the sessions that the identity opened, except the caller's.

    Raises:
        AppError: as `_may_change` does; NOT_FOUND; CONFLICT if the identity is the last way to sign
            in.
    """
    async with db.transaction() as tx:
        await _may_change(tx, principal)
        known = await identities.list_identities(tx, account_id=account_id)
        others = [one for one in known if one.id != identity_id]
        if len(others) == len(known):
            raise not_found("identity")
        works = any(providers.name_of(one.issuer) is not None for one in others)
        if not works and not await identities.has_usable_password(tx, id=account_id):
            raise AppError(
                Code.CONFLICT,
                "this identity is your only way to sign in: first request a password reset",
            )
        own = _session_of(principal)
        await sessions.end_opened_by(tx, account_id, identity_id, own, because="identity_unlinked")
        await identities.remove_identity(tx, id=identity_id, account_id=account_id)
        await audit.record(tx, "identity.unlinked", account_id)
        await notices.notify(tx, account_id, "identity_changed")


async def _may_change(tx: Executor, principal: Principal) -> None:
    """Check for a recent sign-in, a verified address, and a verified second factor, if any.

    The account is locked, so that two concurrent requests cannot remove the last two ways to sign
    in.

    Raises:
        AppError: FORBIDDEN if one of these is missing.
    """
    if principal.account_id is None:
        raise forbidden("a service has no account")
    person = await profiles.lock_person(tx, id=principal.account_id)
    if person is None or not person.verified:  # the token may be from before another address
        raise forbidden("verify your email address first")
    await standing.check_session(tx, principal, fresh=True)


def _session_of(principal: Principal) -> UUID:
    if not principal.session:
        raise forbidden("this request requires a recent sign-in: sign in again")
    return UUID(principal.session)
