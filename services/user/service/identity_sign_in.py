"""Sign in with an identity provider. A matching email address does not grant access."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from lib.auth.principal import unauthorized
from lib.db import Database, Executor
from lib.errors import AppError, Code
from lib.ids import new_id
from lib.resource.rules import change_errors, conflict
from services.user.model.account import Email, is_name, tidy_name
from services.user.model.identities import IdentitySignIn
from services.user.ports import Identity, IdentityProviders
from services.user.service import identity_requests, opening, register
from services.user.service.counting import counted
from services.user.service.devices import Devices
from services.user.service.sessions import SignedIn, TokenPolicy
from services.user.service.throttle import Limits
from services.user.service.verification import say_verified
from services.user.store import accounts, identities
from services.user.store.identities import FindIdentityRow
from services.user.store.models import AccountRole, AccountStatus

# Not usable until the owner sets one with a link in a mail: see `RestoreAddress`.
_NO_PASSWORD: Final = "-"  # noqa: S105 - not a hash of any password
_LONGEST_NAME: Final = 50
# For whom the provider has no name; the owner can change it.
_UNNAMED: Final = "Customer"
_TAKEN: Final = "an account has this email address: sign in to it, then link the identity provider"


@dataclass(frozen=True, slots=True)
class SignedInAtProvider:
    """A new session, the token of the device, and the path that the browser returns to."""

    signed_in: SignedIn
    device_token: str = field(repr=False)
    return_to: str


async def sign_in(
    db: Database,
    providers: IdentityProviders,
    policy: TokenPolicy,
    limits: Limits,
    devices: Devices,
    name: str,
    given: IdentitySignIn,
    browser: str | None,
) -> SignedInAtProvider:
    """Open a session for a user of an identity provider. Register the user if necessary.

    A second factor is required as after a sign-in with a password.

    Raises:
        AppError: as `identity_requests.finish` does; FORBIDDEN if the account is deactivated;
            CONFLICT if the address of a new user belongs to an account, whose owner must sign in
            and link the provider; BAD_REQUEST for a new user without an address.
    """
    back = await identity_requests.finish(db, providers, name, given, browser=browser)
    found = await _find(db, back.identity) or await _registered(db, back.identity, name, limits)
    if found.status is not AccountStatus.ACTIVE:
        raise AppError(Code.FORBIDDEN, "the account is not active")
    device = devices.known(given.device_token, found.account_id)
    async with db.transaction() as tx:
        signed_in = await _open(tx, policy, found, name, device)
        await identity_requests.give_back(tx)
    token = devices.issue(found.account_id, device)
    return SignedInAtProvider(signed_in, token, back.return_to)


async def _open(
    tx: Executor, policy: TokenPolicy, found: FindIdentityRow, name: str, device: str | None
) -> SignedIn:
    account = await identities.hold_account(tx, id=found.account_id)
    linked = await identities.is_linked(tx, id=found.id, account_id=found.account_id)
    if account is None or not linked:  # deactivated or unlinked meanwhile
        raise unauthorized("this sign-in method was just removed")
    signed_in = await opening.open_session(
        tx,
        policy,
        account_id=found.account_id,
        role=account.role,
        verified=account.verified,
        device=device,
        provider=name,
    )
    await identities.note_session_identity(tx, id=signed_in.session_id, identity_id=found.id)
    await identities.note_identity_used(tx, id=found.id)
    return signed_in


async def _find(db: Executor, identity: Identity) -> FindIdentityRow | None:
    return await identities.find_identity(db, issuer=identity.issuer, subject=identity.subject)


async def _registered(
    db: Database, identity: Identity, name: str, limits: Limits
) -> FindIdentityRow:
    """Add the account of a new user. Count an attempt to register the email address."""
    email = _address(identity)
    async with counted(db, limits.of("register", email)):
        try:
            async with db.transaction() as tx:
                return await _register(tx, identity, email, name)
        except AppError as error:
            if error.code is not Code.CONFLICT:
                raise
            # Two tabs of one browser: the other was first.
            found = await _find(db, identity)
            if found is None:
                raise conflict(_TAKEN) from error
            return found


async def _register(tx: Executor, identity: Identity, email: str, name: str) -> FindIdentityRow:
    account = await register.add_unverified(
        tx,
        email=email,
        phone_number=None,
        names=_names(identity),
        password_hash=_NO_PASSWORD,
        role=AccountRole.CUSTOMER,
        provider=name,
    )
    identity_id = new_id()
    with change_errors(taken=_TAKEN):
        await identities.add_identity(
            tx,
            id=identity_id,
            account_id=account.id,
            issuer=identity.issuer,
            subject=identity.subject,
            proved=identity.email_verified,
        )
    if identity.email_verified:
        await accounts.verify_email(tx, id=account.id, email=email)
        await say_verified(tx, account.id)
    else:
        await register.ask_to_verify(tx, account)
    return FindIdentityRow(identity_id, account.id, account.status)


def _address(identity: Identity) -> str:
    try:
        return msgspec.convert(identity.email, Email)
    except msgspec.ValidationError:
        message = "the identity provider sent no email address, so no account can be created"
        raise AppError(Code.BAD_REQUEST, message) from None


def _names(identity: Identity) -> dict[str, str]:
    first = _name(identity.given_name)
    if first is not None:
        return {"first_name": first, "last_name": _name(identity.family_name) or ""}
    first, _, last = (_name(identity.name) or _UNNAMED).partition(" ")
    return {"first_name": first, "last_name": last}


def _name(text: str) -> str | None:
    tidied = tidy_name(text)
    return tidied if len(tidied) <= _LONGEST_NAME and is_name(tidied) else None
