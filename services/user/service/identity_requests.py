"""Requests to an identity provider: bound to one browser, short-lived and single-use."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from lib import context
from lib.auth.opaque import digest
from lib.auth.principal import unauthorized
from lib.db import Database, Executor
from lib.errors import AppError, Code, not_found
from lib.limits.client_address import limit_key
from services.user.model.identities import IdentityResponse
from services.user.ports import Identity, IdentityProviders, ProviderAnswer
from services.user.service import audit, throttle
from services.user.service.throttle import Limit
from services.user.store import attempts, identities

# As long as the schema lets a request wait.
TTL: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Started:
    """The URL to send the browser to, and the secret for the browser's cookie."""

    url: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Returned:
    """The verified identity, and the path to return to."""

    identity: Identity
    return_to: str


async def begin(
    db: Database,
    providers: IdentityProviders,
    limit: Limit,
    name: str,
    *,
    return_to: str,
    browser: str | None,
    session_id: UUID | None = None,
) -> Started:
    """Return the identity provider's URL, to sign in or to link an identity in a session.

    If a browser already has a secret, it keeps this secret, so a second tab does not break the
    sign-in in the first tab.

    Raises:
        AppError: NOT_FOUND for an unknown provider; RATE_LIMIT_EXCEEDED for too many requests of
            one client; SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN if the provider is
            unavailable.
    """
    # The page that the browser comes back to is one for both, and sees by this which it is.
    state = ("" if session_id is None else "link.") + secrets.token_urlsafe(32)
    nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    url = await providers.authorization_url(name, state=state, nonce=nonce, verifier=verifier)
    browser = browser or secrets.token_urlsafe(32)
    async with db.transaction() as tx:
        await throttle.take(tx, {_client(): limit})
        await identities.add_identity_request(
            tx,
            state=digest(state),
            browser=digest(browser),
            provider=name,
            nonce=nonce,
            verifier=verifier,
            return_to=return_to,
            session_id=session_id,
        )
    return Started(url, browser)


async def finish(
    db: Database,
    providers: IdentityProviders,
    name: str,
    given: IdentityResponse,
    *,
    browser: str | None,
    session_id: UUID | None = None,
) -> Returned:
    """Mark the request as used, and return the identity from the provider.

    Raises:
        AppError: UNAUTHORIZED if this browser has not started the request for this purpose in the
            last ten minutes, if the request was already finished, or if the provider's response is
            not valid; otherwise as `begin` does.
    """
    if name not in providers.names():
        raise not_found("identity provider")
    spent = await identities.spend_identity_request(
        db,
        state=digest(given.state),
        browser=digest(browser or ""),
        provider=name,
        session_id=session_id,
    )
    if spent is None:
        raise unauthorized(
            "this browser has not started this sign-in recently: start the sign-in again"
        )
    answer = ProviderAnswer(given.code, given.iss, spent.nonce, spent.verifier)
    try:
        identity = await providers.identify(name, answer)
    except AppError as error:
        if error.code is Code.UNAUTHORIZED:
            # Not for an unknown state: the trail is kept for years, and any client can send those.
            await audit.record(db, "login.failed", "unknown", provider=name)
        raise
    return Returned(identity, spent.return_to)


async def give_back(tx: Executor) -> None:
    """Subtract the counted attempt of a client whose sign-in has succeeded."""
    await attempts.take_attempt_back(tx, key=_client())


def _client() -> bytes:
    return throttle.key("identity-from", limit_key(context.client.get()))
