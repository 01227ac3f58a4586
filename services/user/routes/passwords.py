"""Routes to change and to reset a password."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import respond
from lib.http.respond import Done
from lib.http.routes import PUBLIC, Routes, signed_in
from services.user.model.account import PasswordChange, PasswordReset, ResetRequest
from services.user.routes.caller import Caller, Own
from services.user.routes.deps import AppDeps, AppRules
from services.user.routes.device import remember, shown
from services.user.routes.sessions import signed_out
from services.user.service import password, standing

route: Final = Routes("auth")


@route(
    "PATCH /api/v1/users/me/change-password",
    "Change my password",
    access=signed_in(fresh=True, verified=False),
    alias="PATCH /api/v1/me/change-password",
)
async def change_password(
    deps: AppDeps, rules: AppRules, caller: Caller, own: Own, given: PasswordChange
) -> Done:
    """Change the password and end all sessions, including the caller's."""
    await standing.check_session(deps.db, caller, fresh=True)
    await password.change(
        deps.db, deps.passwords, own, given, rules.logins.pair, session=caller.session
    )
    return signed_out()


@route("POST /api/v1/auth/password/forgot", "Request a password reset", access=PUBLIC)
async def forgot_password(
    request: web.Request, deps: AppDeps, rules: AppRules, given: ResetRequest
) -> Done:
    """Request an emailed reset link. Return 204 for any address."""
    token = given.device_token or shown(request)
    await password.ask_reset(deps.db, given.email, rules.mails, rules.devices, token)
    return respond.no_content()


@route(
    "POST /api/v1/auth/password/reset",
    "Reset a password",
    Code.CONFLICT,
    access=PUBLIC,
)
async def reset_password(deps: AppDeps, rules: AppRules, given: PasswordReset) -> Done:
    """Reset the password and end all sessions. A cookie identifies the device at later logins."""
    device_token = await password.reset(deps.db, deps.passwords, rules.devices, given)
    response = signed_out()
    remember(response, device_token, rules.devices)
    return response
