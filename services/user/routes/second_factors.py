"""Second factors: an authenticator's codes, passkeys, recovery codes."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from aiohttp import web

from lib.auth import require, require_principal, require_verified
from lib.errors import Code, not_found
from lib.http import decode, respond
from lib.http.middleware.auth import guarded
from lib.http.openapi import operation
from services.user.model.second_factors import FirstCode, NewPasskey, Shown
from services.user.routes.deps import DEPS, RULES
from services.user.routes.people import CHANGE_ERRORS
from services.user.routes.sessions import own_account
from services.user.service import second_factors as service
from services.user.service.second_factors import NewAuthenticator, RecoveryCodes, SecondFactors

_TAGS: Final = ("second factors",)
_ERRORS: Final = (Code.UNAUTHORIZED, Code.FORBIDDEN)
_SECRET: Final = {"Cache-Control": "no-store"}


@operation(
    summary="Say which second factors one has", tags=_TAGS, returns=SecondFactors, errors=_ERRORS
)
async def overview(request: web.Request) -> web.Response:
    """Answer what there is, and whether one was shown in this session."""
    found = await service.overview(request.app[DEPS].db, require_principal(), own_account())
    return respond.ok(found)


@operation(
    summary="Show a second factor",
    tags=_TAGS,
    body=Shown,
    status=204,
    errors=(*_ERRORS, Code.RATE_LIMIT_EXCEEDED),
)
async def show(request: web.Request) -> web.Response:
    """Nothing, when it is right: refresh the session, and its tokens have their permissions."""
    own_account()
    given = await decode.body(request, Shown)
    deps, policy = request.app[DEPS], request.app[RULES].second_factors
    await service.show(deps.db, deps.personal_ids, policy, require_principal(), given)
    return respond.no_content()


@operation(
    summary="Begin to use an authenticator",
    tags=_TAGS,
    returns=NewAuthenticator,
    errors=(*_ERRORS, Code.CONFLICT),
)
async def begin_totp(request: web.Request) -> web.Response:
    """Answer a secret; it counts from its first code on."""
    deps = request.app[DEPS]
    made = await service.begin_totp(deps.db, deps.personal_ids, require_principal(), own_account())
    return respond.ok(made, headers=_SECRET)


@operation(
    summary="Confirm a new authenticator",
    tags=_TAGS,
    body=FirstCode,
    returns=RecoveryCodes,
    errors=(*_ERRORS, Code.RATE_LIMIT_EXCEEDED),
)
async def confirm_totp(request: web.Request) -> web.Response:
    """Answer recovery codes, if there are none yet; all other sessions have ended."""
    account_id, deps = own_account(), request.app[DEPS]
    given = await decode.body(request, FirstCode)
    policy = request.app[RULES].second_factors
    codes = await service.confirm_totp(
        deps.db, deps.personal_ids, policy, require_principal(), account_id, given.code
    )
    return respond.ok(codes, headers=_SECRET)


@operation(
    summary="Stop using the authenticator",
    tags=_TAGS,
    status=204,
    errors=(*_ERRORS, Code.NOT_FOUND),
)
async def remove_totp(request: web.Request) -> web.Response:
    """Nothing, when it is removed."""
    await service.remove_totp(request.app[DEPS].db, require_principal(), own_account())
    return respond.no_content()


@operation(
    summary="Get new recovery codes",
    tags=_TAGS,
    returns=RecoveryCodes,
    errors=(*_ERRORS, Code.CONFLICT),
)
async def recovery_codes(request: web.Request) -> web.Response:
    """Answer ten codes that work once each; the former ones work no more."""
    db, account_id = request.app[DEPS].db, own_account()
    codes = await service.new_recovery_codes(db, require_principal(), account_id)
    return respond.ok(codes, headers=_SECRET)


@operation(
    summary="Begin to add a passkey",
    tags=_TAGS,
    returns=dict[str, Any],
    errors=(*_ERRORS, Code.CONFLICT),
)
async def begin_passkey(request: web.Request) -> web.Response:
    """Answer the options for `navigator.credentials.create`, as JSON (WebAuthn)."""
    db, policy = request.app[DEPS].db, request.app[RULES].second_factors
    options = await service.begin_passkey(db, policy, require_principal(), own_account())
    return respond.ok(options, headers=_SECRET)


@operation(
    summary="Add a passkey",
    tags=_TAGS,
    body=NewPasskey,
    returns=RecoveryCodes,
    status=201,
    errors=(*_ERRORS, Code.CONFLICT),
)
async def add_passkey(request: web.Request) -> web.Response:
    """Answer recovery codes, if there are none yet; all other sessions have ended."""
    db, policy, account_id = request.app[DEPS].db, request.app[RULES].second_factors, own_account()
    given = await decode.body(request, NewPasskey)
    codes = await service.add_passkey(db, policy, require_principal(), account_id, given)
    return respond.ok(codes, status=201, headers=_SECRET)


@operation(
    summary="Ask what a passkey is to sign",
    tags=_TAGS,
    returns=dict[str, Any],
    errors=(*_ERRORS, Code.NOT_FOUND),
)
async def ask_passkey(request: web.Request) -> web.Response:
    """Answer the options for `navigator.credentials.get`, as JSON (WebAuthn)."""
    own_account()
    db, policy = request.app[DEPS].db, request.app[RULES].second_factors
    options = await service.ask_passkey(db, policy, require_principal())
    return respond.ok(options, headers=_SECRET)


@operation(
    summary="Remove a passkey",
    tags=_TAGS,
    path={"id": str},
    status=204,
    errors=(*_ERRORS, Code.NOT_FOUND),
)
async def remove_passkey(request: web.Request) -> web.Response:
    """Nothing, when it is removed."""
    account_id = own_account()
    try:
        passkey = bytes.fromhex(request.match_info["id"])
    except ValueError:
        raise not_found("passkey") from None
    await service.remove_passkey(request.app[DEPS].db, require_principal(), account_id, passkey)
    return respond.no_content()


@guarded(require("roles:write"), require_verified)
@operation(
    summary="Remove the second factors of somebody who has lost them",
    tags=_TAGS,
    path={"id": UUID},
    status=204,
    errors=CHANGE_ERRORS,
)
async def remove_all_of(request: web.Request) -> web.Response:
    """Nothing, when there are none any more; the person is told by mail."""
    account_id = decode.path_uuid(request)
    await service.remove_all_of(request.app[DEPS].db, require_principal(), account_id)
    return respond.no_content()


ROUTES: Final = (
    web.get("/api/v1/auth/second-factor", overview),
    web.post("/api/v1/auth/second-factor", show),
    web.post("/api/v1/auth/totp", begin_totp),
    web.post("/api/v1/auth/totp/confirm", confirm_totp),
    web.delete("/api/v1/auth/totp", remove_totp),
    web.post("/api/v1/auth/recovery-codes", recovery_codes),
    web.post("/api/v1/auth/passkeys/options", begin_passkey),
    web.post("/api/v1/auth/passkeys", add_passkey),
    web.post("/api/v1/auth/passkeys/challenge", ask_passkey),
    web.delete("/api/v1/auth/passkeys/{id}", remove_passkey),
    web.delete("/api/v1/users/{id}/second-factor", remove_all_of),
)
