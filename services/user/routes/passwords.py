"""Change and reset of passwords."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.auth import require_principal
from lib.errors import Code
from lib.http import decode, respond
from lib.http.middleware.auth import public
from lib.http.openapi import operation
from services.user.model.account import PasswordChange, PasswordReset, ResetRequest
from services.user.routes.deps import DEPS, RULES
from services.user.routes.device import remember, shown
from services.user.routes.sessions import clear_cookies, own_account
from services.user.service import password, standing

_TAGS: Final = ("auth",)


@operation(
    summary="Change one's own password",
    tags=_TAGS,
    body=PasswordChange,
    status=204,
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN, Code.RATE_LIMIT_EXCEEDED),
)
async def change_password(request: web.Request) -> web.Response:
    """Nothing, when it is done; every session has ended then, the caller's too."""
    deps, rules = request.app[DEPS], request.app[RULES]
    account_id = own_account()
    given = await decode.body(request, PasswordChange)
    await standing.check_session(deps.db, require_principal(), second_factor=True)
    await password.change(
        deps.db,
        deps.passwords,
        account_id,
        given,
        rules.logins.pair,
        session=require_principal().session,
    )
    return clear_cookies(respond.no_content())


@public
@operation(
    summary="Ask for a mail to set a new password",
    tags=_TAGS,
    body=ResetRequest,
    status=204,
    errors=(Code.RATE_LIMIT_EXCEEDED,),
)
async def forgot_password(request: web.Request) -> web.Response:
    """Nothing, whoever's address it is."""
    given = await decode.body(request, ResetRequest)
    rules = request.app[RULES]
    await password.ask_reset(
        request.app[DEPS].db,
        given.email,
        rules.mails,
        rules.devices,
        given.device_token or shown(request),
    )
    return respond.no_content()


@public
@operation(
    summary="Set a new password with the token from a mail",
    tags=_TAGS,
    body=PasswordReset,
    status=204,
    errors=(Code.UNAUTHORIZED, Code.CONFLICT),
)
async def reset_password(request: web.Request) -> web.Response:
    """Nothing, when it is done; every session has ended then, and the device is a known one."""
    deps, devices = request.app[DEPS], request.app[RULES].devices
    given = await decode.body(request, PasswordReset)
    device_token = await password.reset(deps.db, deps.passwords, devices, given)
    response = clear_cookies(respond.no_content())
    remember(response, device_token, devices)
    return response


ROUTES: Final = (
    web.patch("/api/v1/users/me/change-password", change_password),
    web.patch("/api/v1/me/change-password", change_password),
    web.post("/api/v1/auth/password/forgot", forgot_password),
    web.post("/api/v1/auth/password/reset", reset_password),
)
