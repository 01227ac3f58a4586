"""Authenticate a socket by a header, cookie or subprotocol, and check its origin."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from aiohttp import web

from lib.auth import Principal, current_principal
from lib.auth.access import signed_in
from lib.auth.guards import forbidden
from lib.auth.principal import Transport, set_principal, unauthorized
from lib.auth.tokens import Verifier
from lib.errors import AppError, Code
from services.chat.model.frames import PROTOCOL

VERIFIER: Final = web.AppKey("VERIFIER", Verifier)
ORIGINS: Final[web.AppKey[Collection[str]]] = web.AppKey("ORIGINS")
# What a socket may do, its frames write: as strict as a route that changes something.
ACCESS: Final = signed_in(verified=True)
_CHECK: Final = ACCESS.resolved()
_BEARER: Final = "bearer."


async def identify(request: web.Request) -> tuple[Principal, UUID, UUID | None]:
    """Return the caller who opens a socket, the account ID, and the token's session ID or None.

    Raises:
        AppError: BAD_REQUEST if the request is not a handshake; UNAUTHORIZED without a valid token;
            FORBIDDEN for a page of another origin, a cookie without an origin, a service, or an
            account that is not verified or has not verified its second factor.
    """
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise AppError(Code.BAD_REQUEST, "this path is for WebSockets")
    offered = _offered(request)
    principal = current_principal() or await _from_subprotocol(request, offered)
    set_principal(principal)
    _check_origin(request, principal)
    _CHECK(principal)
    if offered and PROTOCOL not in offered:
        raise AppError(Code.BAD_REQUEST, f"the client must offer the subprotocol {PROTOCOL}")
    if principal.account_id is None:
        raise forbidden("only users can take part in a chat")
    return principal, principal.account_id, principal.session_id


async def _from_subprotocol(request: web.Request, offered: Collection[str]) -> Principal:
    """Verify the token in the subprotocol, because browser scripts cannot set WebSocket headers."""
    tokens = [name.removeprefix(_BEARER) for name in offered if name.startswith(_BEARER)]
    if len(tokens) != 1:
        raise unauthorized()
    return await request.app[VERIFIER].verify(tokens[0])


def _offered(request: web.Request) -> list[str]:
    headers = request.headers.getall("Sec-WebSocket-Protocol", ())
    return [name.strip() for header in headers for name in header.split(",") if name.strip()]


def _check_origin(request: web.Request, principal: Principal) -> None:
    """Refuse other origins, because browsers send cookies for sockets that any site opens."""
    origin = request.headers.get("Origin")
    if origin is None:
        if principal.transport is Transport.COOKIE:
            raise forbidden("a cookie requires an Origin header")
        return
    # The CORS wildcard permits reading, not acting, so it does not admit an Origin here.
    if origin not in request.app[ORIGINS] and not _is_ours(origin, request):
        raise forbidden("this Origin is not allowed")


def _is_ours(origin: str, request: web.Request) -> bool:
    """Return whether the page has the same origin as the socket."""
    page = urlsplit(origin)
    return page.scheme in ("http", "https") and page.netloc.lower() == request.host.lower()
