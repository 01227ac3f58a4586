"""Routes of identity providers: sign in, link an identity, and unlink an identity."""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeAlias

from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from lib.auth.access import When
from lib.errors import Code
from lib.http import respond
from lib.http.respond import Answer, Created, Done
from lib.http.routes import PUBLIC, From, Id, Routes, signed_in
from services.user.identity_providers import NAME
from services.user.model.identities import (
    IdentityRequest,
    IdentityResponse,
    IdentitySignIn,
)
from services.user.routes.caller import Caller, Own
from services.user.routes.deps import AppDeps, AppRules
from services.user.routes.device import shown
from services.user.routes.sessions import opened
from services.user.service import identities, identity_requests, identity_sign_in
from services.user.service.identities import IdentityView, LinkedIdentity
from services.user.service.identity_requests import Started
from services.user.session_views import IdentitySession

COOKIE: Final = "__Host-identity_request"
_SECRET: Final = {"Cache-Control": "no-store"}
_OURS: Final = re.compile(r"[\w-]{43}", re.ASCII)
_CHANGES: Final = signed_in(second_factor=When("the account has a second factor"), fresh=True)
route: Final = Routes("identity providers")


class IdentityProviderView(Struct, frozen=True):
    """An identity provider that users can sign in with."""

    name: Annotated[str, Meta(examples=["google"])]


class Redirection(Struct, frozen=True):
    """The URL of the identity provider's page. Redirect the browser to this URL."""

    url: Annotated[str, Meta(examples=["https://accounts.example.com/authorize?state=a-state"])]


def _browser(request: web.Request) -> str | None:
    cookie = request.cookies.get(COOKIE, "")
    return cookie if _OURS.fullmatch(cookie) else None


_Provider: TypeAlias = Annotated[
    str,
    From(
        lambda request: request.match_info["name"],
        path={"name": Annotated[str, Meta(pattern=f"^{NAME}$", examples=["google"])]},
    ),
]
# The secret of the browser, which left with a request or has none yet.
_Browser: TypeAlias = Annotated[str | None, From(_browser)]


@route("GET /api/v1/auth/identity-providers", "List identity providers", access=PUBLIC)
async def list_identity_providers(deps: AppDeps) -> Answer[list[IdentityProviderView]]:
    """Return the identity providers in the settings, or an empty list."""
    return respond.ok([IdentityProviderView(name) for name in deps.identity_providers.names()])


@route(
    "POST /api/v1/auth/identity-providers/{name}/start",
    "Start a sign-in with an identity provider",
    Code.NOT_FOUND,
    access=PUBLIC,
)
async def start_provider_sign_in(
    deps: AppDeps, rules: AppRules, provider: _Provider, browser: _Browser, given: IdentityRequest
) -> Answer[Redirection]:
    """Return the URL of the identity provider's sign-in page.

    A cookie binds the sign-in to this browser for 10 minutes.
    """
    started = await identity_requests.begin(
        deps.db,
        deps.identity_providers,
        rules.logins.address,
        provider,
        return_to=given.return_to,
        browser=browser,
    )
    return _leaving(started)


@route(
    "POST /api/v1/auth/identity-providers/{name}/sign-in",
    "Sign in with an identity provider",
    Code.NOT_FOUND,
    Code.CONFLICT,
    access=PUBLIC,
)
async def sign_in_with_provider(
    request: web.Request,
    deps: AppDeps,
    rules: AppRules,
    provider: _Provider,
    browser: _Browser,
    given: IdentitySignIn,
) -> Answer[IdentitySession]:
    """Return the tokens of a new session. Register a customer if the identity is unknown.

    If an account already has the email address, the response is 409; the owner of the account signs
    in and links the identity.
    """
    if given.device_token is None:
        given = replace(given, device_token=shown(request))
    done = await identity_sign_in.sign_in(
        deps.db,
        deps.identity_providers,
        rules.tokens,
        rules.mails,
        rules.devices,
        provider,
        given,
        browser,
    )
    response = opened(
        rules, done.signed_in, done.device_token, kind=IdentitySession, return_to=done.return_to
    )
    response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    return response


@route(
    "GET /api/v1/users/me/identities",
    "List my identities",
    access=signed_in(),
)
async def list_identities(deps: AppDeps, own: Own) -> Answer[list[IdentityView]]:
    """Return the identities that the caller can sign in with."""
    return respond.ok(await identities.list_own(deps.db, deps.identity_providers, own))


@route(
    "POST /api/v1/users/me/identities/{name}/start",
    "Start linking an identity",
    Code.NOT_FOUND,
    access=_CHANGES,
)
async def start_identity_link(
    deps: AppDeps,
    rules: AppRules,
    caller: Caller,
    provider: _Provider,
    browser: _Browser,
    given: IdentityRequest,
) -> Answer[Redirection]:
    """Return the identity provider's URL. Only this session in this browser can finish linking."""
    started = await identities.begin_link(
        deps.db,
        deps.identity_providers,
        rules.logins.address,
        caller,
        provider,
        return_to=given.return_to,
        browser=browser,
    )
    return _leaving(started)


@route(
    "POST /api/v1/users/me/identities/{name}",
    "Link an identity",
    Code.NOT_FOUND,
    Code.CONFLICT,
    access=_CHANGES,
)
async def link_identity(
    deps: AppDeps,
    caller: Caller,
    own: Own,
    provider: _Provider,
    browser: _Browser,
    given: IdentityResponse,
) -> Created[LinkedIdentity]:
    """Link the identity. The identity's user can then sign in to this account.

    The owner is notified by email.
    """
    linked = await identities.link(
        deps.db, deps.identity_providers, caller, own, provider, given, browser
    )
    return respond.made(linked, headers=_SECRET)


@route(
    "DELETE /api/v1/users/me/identities/{id}",
    "Unlink an identity",
    Code.NOT_FOUND,
    Code.CONFLICT,
    access=_CHANGES,
)
async def unlink_identity(deps: AppDeps, caller: Caller, own: Own, identity_id: Id) -> Done:
    """Remove the link, and end the other sessions that the identity opened."""
    await identities.unlink(deps.db, deps.identity_providers, caller, own, identity_id)
    return respond.no_content()


def _leaving(started: Started) -> Answer[Redirection]:
    response = respond.ok(Redirection(started.url), headers=_SECRET)
    response.set_cookie(
        COOKIE,
        started.browser,
        max_age=int(identity_requests.TTL.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
    )
    return response
