"""Routes of login, refresh and logout, and the public keys of tokens."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias, TypeVar
from uuid import UUID

from aiohttp import web
from msgspec.structs import replace

from lib.auth import cookies, csrf, current_principal
from lib.auth.principal import Principal, unauthorized
from lib.errors import AppError, Code
from lib.http import decode, respond
from lib.http.respond import Answer, Bare, Done
from lib.http.routes import PUBLIC, From, Id, Routes, signed_in
from lib.resource.views import view
from services.user.model.account import Login, RefreshRequest, ServiceLogin
from services.user.routes.caller import Own
from services.user.routes.deps import DEPS, RULES, AppDeps, AppRules, Rules
from services.user.routes.device import remember, shown
from services.user.service import login as logins
from services.user.service import service_tokens, sessions
from services.user.service.sessions import SignedIn
from services.user.session_views import Jwks, OpenSession, ServiceToken, Session

route: Final = Routes("auth")
S = TypeVar("S", bound=Session)


@route("POST /api/v1/auth/login", "Log in", access=PUBLIC)
async def log_in(
    request: web.Request, deps: AppDeps, rules: AppRules, given: Login
) -> Answer[Session]:
    """Return the tokens of a new session, in the body and as cookies."""
    if given.device_token is None:
        given = replace(given, device_token=shown(request))
    signed_in, device_token = await logins.log_in(
        deps.db, deps.passwords, rules.tokens, rules.logins, rules.devices, given
    )
    return opened(rules, signed_in, device_token, kind=Session)


@route("POST /api/v1/auth/token", "Create a service token", access=PUBLIC)
async def service_token(
    deps: AppDeps, rules: AppRules, given: ServiceLogin
) -> Answer[ServiceToken]:
    """Return an access token. Services have no sessions and no cookies."""
    granted = await service_tokens.issue(
        deps.db, rules.tokens.issuer, rules.clients, rules.logins.pair, given
    )
    body = ServiceToken(
        access_token=granted.issued.token,
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        expires_at=granted.issued.expires_at,
        roles=list(granted.roles),
        permissions=list(granted.permissions),
    )
    return respond.ok(body, headers={"Cache-Control": "no-store"})


async def _refresh_token(request: web.Request) -> tuple[str | None, bool]:
    """Return the refresh token, if any, and whether the token came from a cookie."""
    if request.can_read_body:
        given = await decode.body(request, RefreshRequest)
        if given.refresh_token is not None:
            return given.refresh_token, False
    cookie = request.cookies.get(cookies.REFRESH)
    return cookie or None, True


_Refresh: TypeAlias = Annotated[tuple[str | None, bool], From(_refresh_token, body=RefreshRequest)]


@route("POST /api/v1/auth/refresh", "Exchange a refresh token for new tokens", access=PUBLIC)
async def refresh(
    request: web.Request, deps: AppDeps, rules: AppRules, given: _Refresh
) -> Answer[Session]:
    """Return new tokens. If the refresh token is in a cookie, the CSRF token is also required."""
    token, from_cookie = given
    if token is None:
        raise unauthorized("the body and the cookies have no refresh token")
    if from_cookie:
        await _require_csrf(request, token)
    return opened(rules, await sessions.refresh(deps.db, rules.tokens, token), kind=Session)


@route("POST /api/v1/auth/logout", "Log out", access=PUBLIC)
async def log_out(request: web.Request, deps: AppDeps, given: _Refresh) -> Done:
    """End the session of the access or refresh token, and clear the cookies.

    Chat sockets of the session are closed. Other services accept the access token until it expires
    some minutes later.
    """
    token, from_cookie = given
    if token is not None and from_cookie:
        await _require_csrf(request, token)
    ends = {
        _session_of(current_principal()),
        None if token is None else await sessions.session_of(deps.db, token),
    }
    for session_id in ends - {None}:
        if session_id is not None:
            await sessions.end(deps.db, session_id)
    return signed_out()


@route("POST /api/v1/auth/logout-all", "Log out of all sessions", access=signed_in(verified=False))
async def log_out_everywhere(deps: AppDeps, own: Own) -> Done:
    """End all sessions of the caller."""
    async with deps.db.transaction() as tx:
        await sessions.end_all(tx, own, because="logout_all")
    return signed_out()


@route("GET /api/v1/auth/sessions", "List my sessions", access=signed_in())
async def list_sessions(deps: AppDeps, own: Own) -> Answer[list[OpenSession]]:
    """Return the sessions that can still be refreshed, newest first."""
    current = _session_of(current_principal())
    found = await sessions.list_own(deps.db, own)
    return respond.ok([view(OpenSession, row, current=row.id == current) for row in found])


@route(
    "DELETE /api/v1/auth/sessions/{id}",
    "Revoke one of my sessions",
    Code.NOT_FOUND,
    access=signed_in(verified=False),
)
async def end_session(deps: AppDeps, session_id: Id, own: Own) -> Done:
    """End a session."""
    await sessions.end_own(deps.db, own, session_id)
    return respond.no_content()


@route(
    "GET /api/v1/auth/jwks.json",
    "Get the token signing keys (JWKS)",
    access=PUBLIC,
    alias="GET /.well-known/jwks.json",
)
async def jwks(rules: AppRules) -> Bare[Jwks]:
    """Return the bare key set of RFC 7517, without the response envelope."""
    return Bare(
        body=rules.jwks,
        content_type="application/json",
        headers={"Cache-Control": "public, max-age=300"},
    )


def signed_out() -> Done:
    """Return 204, and erase the session's cookies."""
    response = respond.no_content()
    cookies.clear_session(response)
    return response


async def _require_csrf(request: web.Request, token: str) -> None:
    """Check the CSRF token.

    The access token itself is not checked, because it may have expired.
    """
    session_id = await sessions.session_of(request.app[DEPS].db, token)
    if session_id is None:
        return  # nothing can be done with it
    if not csrf.is_valid(
        request.app[RULES].csrf_key,
        str(session_id),
        cookie=request.cookies.get(csrf.COOKIE),
        header=request.headers.get(csrf.HEADER),
    ):
        raise AppError(Code.FORBIDDEN, "the CSRF token is missing or wrong")


def _session_of(principal: Principal | None) -> UUID | None:
    try:
        return UUID(principal.session) if principal is not None else None
    except ValueError:  # a service's token has none
        return None


def opened(
    rules: Rules,
    signed_in: SignedIn,
    device_token: str | None = None,
    *,
    kind: type[S],
    **more: str,
) -> Answer[S]:
    """Return a session's tokens as cookies and in a body of type `kind`, with the fields `more`."""
    csrf_token = csrf.issue(rules.csrf_key, str(signed_in.session_id))
    body = kind(
        user_id=signed_in.account_id,
        role=signed_in.role,
        verified=signed_in.verified,
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        access_token=signed_in.access_token,
        expires_in=int(signed_in.access_ttl.total_seconds()),
        refresh_token=signed_in.refresh_token,
        refresh_expires_in=int(signed_in.refresh_ttl.total_seconds()),
        csrf_token=csrf_token,
        second_factor_wanted=signed_in.second_factor_wanted,
        device_token=device_token,
        **more,
    )
    response = respond.ok(body, headers={"Cache-Control": "no-store"})
    cookies.set_session(
        response,
        access=signed_in.access_token,
        access_ttl=signed_in.access_ttl,
        refresh=signed_in.refresh_token,
        refresh_ttl=signed_in.refresh_ttl,
        csrf_token=csrf_token,
    )
    if device_token is not None:
        remember(response, device_token, rules.devices)
    return response
