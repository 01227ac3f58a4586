"""Authentication: make a Bearer token or a cookie the principal of the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from aiohttp import hdrs, web
from msgspec.structs import replace

from lib.auth import cookies, csrf
from lib.auth.principal import (
    Principal,
    Transport,
    set_principal,
    unauthorized,
)
from lib.auth.tokens import Recalled, Verifier
from lib.errors import AppError, Code
from lib.http.middleware.exchange import Exchange
from lib.http.route import OTHER, PROBES

H = TypeVar("H", bound=Callable[..., object])
_PUBLIC: Final = "__is_public__"
_DOCUMENTATION: Final = "/docs"


def public(handler: H) -> H:
    """Mark a handler as public: it needs no token, but an invalid token is refused."""
    setattr(handler, _PUBLIC, True)
    return handler


def is_public(handler: object) -> bool:
    """Return whether a handler is public."""
    return getattr(handler, _PUBLIC, False)


class Authenticator:
    """Bind the caller (principal) to a request. Refuse requests without a valid token with 401.

    These need no token: handlers marked `public`, the health checks, the documentation and unknown
    paths. If a request changes data and has its token in a cookie, it also needs the CSRF token of
    its session.
    """

    def __init__(self, verifier: Verifier, *, csrf_secret: bytes) -> None:
        self._verifier = verifier
        self._csrf_secret = csrf_secret

    async def identify(self, exchange: Exchange) -> Principal | None:
        """Bind and return the caller, or None on a public route without a token.

        Raises:
            AppError: UNAUTHORIZED without a valid token; FORBIDDEN for a wrong CSRF token;
                SERVICE_UNAVAILABLE if the keys to check the token are unavailable.
        """
        principal = await self._principal(exchange)
        set_principal(principal)
        if principal is None and not self._is_open(exchange):
            raise unauthorized()
        return principal

    def recall(self, exchange: Exchange) -> Recalled | None:
        """Return the cached caller of this Bearer token, even if the cache entry is outdated."""
        try:
            token = _bearer(exchange)
        except AppError:
            return None
        return None if token is None else self._verifier.recall(token)

    async def _principal(self, exchange: Exchange) -> Principal | None:
        token = _bearer(exchange)
        if token is not None:
            return await self._verifier.verify(token)
        # Parsing cookies costs more than looking whether there are any.
        if hdrs.COOKIE not in exchange.headers:
            return None
        request = exchange.request
        cookie = request.cookies.get(cookies.ACCESS)
        if not cookie:
            return None
        return await _from_cookie(request, cookie, self._verifier, self._csrf_secret)

    def _is_open(self, exchange: Exchange) -> bool:
        route = exchange.route
        if route == OTHER or route in PROBES or route.startswith(_DOCUMENTATION):
            return True
        return is_public(exchange.request.match_info.handler)


def _bearer(exchange: Exchange) -> str | None:
    header = exchange.headers.getall(hdrs.AUTHORIZATION, ())
    if not header:
        return None
    # Two headers are an attempt to show each side of a proxy another one.
    if len(header) > 1:
        raise unauthorized()
    scheme, _, token = header[0].partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise unauthorized()
    return token


async def _from_cookie(
    request: web.Request, cookie: str, verifier: Verifier, csrf_secret: bytes
) -> Principal | None:
    try:
        principal = await verifier.verify(cookie)
    except AppError as error:
        # A browser sends an old cookie to the sign-in page as well; only closed routes mind.
        if error.code is Code.UNAUTHORIZED:
            return None
        raise
    if request.method not in csrf.SAFE_METHODS and not csrf.is_valid(
        csrf_secret,
        principal.session,
        cookie=request.cookies.get(csrf.COOKIE),
        header=request.headers.get(csrf.HEADER),
    ):
        raise AppError(Code.FORBIDDEN, "the CSRF token is missing or wrong")
    return replace(principal, transport=Transport.COOKIE)
