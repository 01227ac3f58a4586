"""Routes of second factors: authenticator codes, passkeys and recovery codes."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

from aiohttp import web
from msgspec import Meta

from lib.auth import require
from lib.auth.access import When
from lib.errors import Code, not_found
from lib.http import respond
from lib.http.respond import Answer, Created, Done
from lib.http.routes import CHANGE_ERRORS, From, Id, Routes, signed_in
from services.user.model.second_factors import FirstCode, NewPasskey, Shown
from services.user.routes.caller import Caller, Own
from services.user.routes.deps import RULES, AppDeps
from services.user.service import second_factors as service
from services.user.service.second_factors import (
    IssuedRecoveryCodes,
    NewAuthenticator,
    Policy,
    SecondFactors,
)

_SECRET: Final = {"Cache-Control": "no-store"}
route: Final = Routes("second factors")
_SHOWS: Final = signed_in(second_factor=False, verified=False)
# A user with a second factor must have presented it in this session. The session is checked in
# the database, because a token from before the first factor does not require it.
_CHANGES: Final = signed_in(second_factor=When("the account has a second factor"), fresh=True)


def _passkey(request: web.Request) -> bytes:
    try:
        return bytes.fromhex(request.match_info["id"])
    except ValueError:
        raise not_found("passkey") from None


_Options: TypeAlias = Annotated[
    dict[str, Any], Meta(examples=[{"challenge": "AQIDBA", "rpId": "example.com"}])
]
_Passkey: TypeAlias = Annotated[
    bytes, From(_passkey, path={"id": Annotated[str, Meta(examples=["01020304"])]})
]
_Policy: TypeAlias = Annotated[Policy, From(lambda request: request.app[RULES].second_factors)]


@route("GET /api/v1/auth/second-factor", "Get my second factors", access=_SHOWS)
async def overview(deps: AppDeps, caller: Caller, own: Own) -> Answer[SecondFactors]:
    """Return the second factors, and whether this session has verified a second factor."""
    return respond.ok(await service.overview(deps.db, caller, own))


@route("POST /api/v1/auth/second-factor", "Verify a second factor", access=_SHOWS)
async def show(deps: AppDeps, policy: _Policy, caller: Caller, _: Own, given: Shown) -> Done:
    """Verify a second factor. After the next refresh, the access token has all permissions."""
    await service.show(deps.db, deps.personal_ids, policy, caller, given)
    return respond.no_content()


@route("POST /api/v1/auth/totp", "Start authenticator (TOTP) setup", Code.CONFLICT, access=_CHANGES)
async def begin_totp(deps: AppDeps, caller: Caller, own: Own) -> Answer[NewAuthenticator]:
    """Return a new secret. The secret takes effect with the first valid code."""
    made = await service.begin_totp(deps.db, deps.personal_ids, caller, own)
    return respond.ok(made, headers=_SECRET)


@route("POST /api/v1/auth/totp/confirm", "Complete authenticator (TOTP) setup", access=_CHANGES)
async def confirm_totp(
    deps: AppDeps, policy: _Policy, caller: Caller, own: Own, given: FirstCode
) -> Answer[IssuedRecoveryCodes]:
    """Return recovery codes if the account had none. All sessions except the caller's end."""
    codes = await service.confirm_totp(deps.db, deps.personal_ids, policy, caller, own, given.code)
    return respond.ok(codes, headers=_SECRET)


@route("DELETE /api/v1/auth/totp", "Remove my authenticator", Code.NOT_FOUND, access=_CHANGES)
async def remove_totp(deps: AppDeps, caller: Caller, own: Own) -> Done:
    """Remove the authenticator."""
    await service.remove_totp(deps.db, caller, own)
    return respond.no_content()


@route(
    "POST /api/v1/auth/recovery-codes",
    "Regenerate my recovery codes",
    Code.CONFLICT,
    access=_CHANGES,
)
async def recovery_codes(deps: AppDeps, caller: Caller, own: Own) -> Answer[IssuedRecoveryCodes]:
    """Return ten recovery codes. A code works once. Former codes stop working."""
    codes = await service.new_recovery_codes(deps.db, caller, own)
    return respond.ok(codes, headers=_SECRET)


@route(
    "POST /api/v1/auth/passkeys/options",
    "Start passkey registration",
    Code.CONFLICT,
    access=_CHANGES,
)
async def begin_passkey(
    deps: AppDeps, policy: _Policy, caller: Caller, own: Own
) -> Answer[_Options]:
    """Return the options for `navigator.credentials.create` as JSON (WebAuthn)."""
    options = await service.begin_passkey(deps.db, policy, caller, own)
    return respond.ok(options, headers=_SECRET)


@route(
    "POST /api/v1/auth/passkeys", "Complete passkey registration", Code.CONFLICT, access=_CHANGES
)
async def add_passkey(
    deps: AppDeps, policy: _Policy, caller: Caller, own: Own, given: NewPasskey
) -> Created[IssuedRecoveryCodes]:
    """Return recovery codes if the account had none. All sessions except the caller's end."""
    codes = await service.add_passkey(deps.db, policy, caller, own, given)
    return respond.made(codes, headers=_SECRET)


@route(
    "POST /api/v1/auth/passkeys/challenge",
    "Create a passkey challenge",
    Code.NOT_FOUND,
    access=_SHOWS,
)
async def ask_passkey(deps: AppDeps, policy: _Policy, caller: Caller, _: Own) -> Answer[_Options]:
    """Return the options for `navigator.credentials.get` as JSON (WebAuthn)."""
    options = await service.ask_passkey(deps.db, policy, caller)
    return respond.ok(options, headers=_SECRET)


@route("DELETE /api/v1/auth/passkeys/{id}", "Remove a passkey", Code.NOT_FOUND, access=_CHANGES)
async def remove_passkey(deps: AppDeps, caller: Caller, own: Own, passkey: _Passkey) -> Done:
    """Remove a passkey."""
    await service.remove_passkey(deps.db, caller, own, passkey)
    return respond.no_content()


@route(
    "DELETE /api/v1/users/{id}/second-factor",
    "Reset a user's second factors",
    *CHANGE_ERRORS,
    access=signed_in(require("roles:write"), fresh=True),
)
async def remove_all_of(deps: AppDeps, account_id: Id, caller: Caller) -> Done:
    """Remove all second factors of a user and notify the user by email."""
    await service.remove_all_of(deps.db, caller, account_id)
    return respond.no_content()
