"""Login, refresh, logout, and the keys that tokens are verified with."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web
from msgspec.structs import replace

from lib.auth import cookies, csrf, current_principal, require_principal
from lib.auth.principal import Principal, unauthorized
from lib.errors import AppError, Code
from lib.http import decode, respond
from lib.http.middleware.auth import public
from lib.http.openapi import operation
from services.user.model.account import Login, RefreshRequest, ServiceLogin
from services.user.routes.deps import DEPS, RULES
from services.user.routes.device import remember, shown
from services.user.service import login as logins
from services.user.service import service_tokens, sessions
from services.user.service.sessions import SignedIn
from services.user.session_views import Jwks, OpenSession, ServiceToken, Session

_TAGS: Final = ("auth",)


@public
@operation(
    summary="Log in",
    tags=_TAGS,
    body=Login,
    returns=Session,
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN, Code.RATE_LIMIT_EXCEEDED),
)
async def log_in(request: web.Request) -> web.Response:
    """Answer the tokens of a new session, in the body and as cookies."""
    deps, rules = request.app[DEPS], request.app[RULES]
    given = await decode.body(request, Login)
    if given.device_token is None:
        given = replace(given, device_token=shown(request))
    signed_in, device_token = await logins.log_in(
        deps.db, deps.passwords, rules.tokens, rules.logins, rules.devices, given
    )
    return _session(request, signed_in, device_token)


@public
@operation(
    summary="Get a token as a service",
    tags=_TAGS,
    body=ServiceLogin,
    returns=ServiceToken,
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN, Code.RATE_LIMIT_EXCEEDED),
)
async def service_token(request: web.Request) -> web.Response:
    """Answer an access token; services have no sessions and no cookies."""
    rules = request.app[RULES]
    given = await decode.body(request, ServiceLogin)
    granted = await service_tokens.issue(
        request.app[DEPS].db, rules.tokens.issuer, rules.clients, rules.logins.pair, given
    )
    body = ServiceToken(
        access_token=granted.issued.token,
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        expires_at=granted.issued.expires_at,
        roles=list(granted.roles),
        permissions=list(granted.permissions),
    )
    return respond.ok(body, headers={"Cache-Control": "no-store"})


@public
@operation(
    summary="Exchange a refresh token for new tokens",
    tags=_TAGS,
    body=RefreshRequest,
    returns=Session,
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN),
)
async def refresh(request: web.Request) -> web.Response:
    """Answer new tokens; the token is in the body or, with the CSRF token, in the cookie."""
    token, from_cookie = await _refresh_token(request)
    if token is None:
        raise unauthorized("there is no refresh token in the body or the cookies")
    if from_cookie:
        await _require_csrf(request, token)
    signed_in = await sessions.refresh(request.app[DEPS].db, request.app[RULES].tokens, token)
    return _session(request, signed_in)


@public
@operation(
    summary="Log out",
    tags=_TAGS,
    body=RefreshRequest,
    status=204,
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN),
)
async def log_out(request: web.Request) -> web.Response:
    """Nothing, when the session of the access or the refresh token has ended; cookies are erased.

    Access tokens that are about stay good to their end, minutes later.
    """
    db = request.app[DEPS].db
    token, from_cookie = await _refresh_token(request)
    if token is not None and from_cookie:
        await _require_csrf(request, token)
    ends = {
        _session_of(current_principal()),
        None if token is None else await sessions.session_of(db, token),
    }
    for session_id in ends - {None}:
        if session_id is not None:
            await sessions.end(db, session_id)
    return _signed_out()


@operation(summary="Log out everywhere", tags=_TAGS, status=204)
async def log_out_everywhere(request: web.Request) -> web.Response:
    """Nothing, when all sessions of the caller have ended."""
    account_id = own_account()
    async with request.app[DEPS].db.transaction() as tx:
        await sessions.end_all(tx, account_id, because="logout_all")
    return _signed_out()


@operation(summary="List one's own sessions", tags=_TAGS, returns=list[OpenSession])
async def list_sessions(request: web.Request) -> web.Response:
    """Answer the sessions that can still be refreshed, youngest first."""
    current = _session_of(current_principal())
    found = await sessions.list_own(request.app[DEPS].db, own_account())
    return respond.ok(
        [
            OpenSession(
                id=row.id,
                created_at=row.created_at,
                refreshed_at=row.refreshed_at,
                expires_at=row.expires_at,
                current=row.id == current,
            )
            for row in found
        ]
    )


@operation(
    summary="End one of one's own sessions",
    tags=_TAGS,
    path={"id": UUID},
    status=204,
    errors=(Code.NOT_FOUND,),
)
async def end_session(request: web.Request) -> web.Response:
    """Nothing, when the session has ended."""
    session_id = decode.path_uuid(request)
    await sessions.end_own(request.app[DEPS].db, own_account(), session_id)
    return respond.no_content()


@public
@operation(summary="Keys to verify access tokens with", tags=_TAGS, returns=Jwks, bare=True)
async def jwks(request: web.Request) -> web.Response:
    """Answer the bare key set, as RFC 7517 has it, without our envelope."""
    return web.Response(
        body=request.app[RULES].jwks,
        content_type="application/json",
        headers={"Cache-Control": "public, max-age=300"},
    )


def own_account() -> UUID:
    """Return the caller's account.

    Raises:
        AppError: UNAUTHORIZED where nobody signed in; FORBIDDEN for a service.
    """
    account_id = require_principal().account_id
    if account_id is None:
        raise AppError(Code.FORBIDDEN, "a service has no account")
    return account_id


def clear_cookies(response: web.Response) -> web.Response:
    """Erase the session's cookies; return the response."""
    cookies.clear_session(response)
    return response


async def _refresh_token(request: web.Request) -> tuple[str | None, bool]:
    """Return the refresh token, if there is one, and whether a cookie brought it."""
    if request.can_read_body:
        given = await decode.body(request, RefreshRequest)
        if given.refresh_token is not None:
            return given.refresh_token, False
    cookie = request.cookies.get(cookies.REFRESH)
    return cookie or None, True


async def _require_csrf(request: web.Request, token: str) -> None:
    """The access token's check does not help here: it may have ended."""
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


def _session(
    request: web.Request, signed_in: SignedIn, device_token: str | None = None
) -> web.Response:
    csrf_token = csrf.issue(request.app[RULES].csrf_key, str(signed_in.session_id))
    body = Session(
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
        remember(response, device_token, request.app[RULES].devices)
    return response


def _signed_out() -> web.Response:
    return clear_cookies(respond.no_content())


ROUTES: Final = (
    web.post("/api/v1/auth/login", log_in),
    web.post("/api/v1/auth/token", service_token),
    web.post("/api/v1/auth/refresh", refresh),
    web.post("/api/v1/auth/logout", log_out),
    web.post("/api/v1/auth/logout-all", log_out_everywhere),
    web.get("/api/v1/auth/sessions", list_sessions),
    web.delete("/api/v1/auth/sessions/{id}", end_session),
    web.get("/api/v1/auth/jwks.json", jwks),
    web.get("/.well-known/jwks.json", jwks),
)
