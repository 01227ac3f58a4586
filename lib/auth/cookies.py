"""Cookies of a signed-in browser: tokens hidden from scripts, and a readable CSRF token."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiohttp import web

from lib.auth import csrf

# A browser accepts a cookie with the prefix `__Host-` only from the same host, over HTTPS or
# loopback. Neither a sibling domain nor an attacker in the network can set a session.
ACCESS: Final = "__Host-access_token"
REFRESH: Final = "__Host-refresh_token"


def set_session(
    response: web.StreamResponse,
    *,
    access: str,
    access_ttl: timedelta,
    refresh: str,
    refresh_ttl: timedelta,
    csrf_token: str,
) -> None:
    """Set the cookies of the access token, the refresh token and the CSRF token.

    The access cookie expires with the access token; the others expire with the refresh token.
    """
    _set(response, ACCESS, access, access_ttl, http_only=True)
    _set(response, REFRESH, refresh, refresh_ttl, http_only=True)
    _set(response, csrf.COOKIE, csrf_token, refresh_ttl, http_only=False)


def clear_session(response: web.StreamResponse) -> None:
    """Clear the three cookies. Browsers require the attributes that the cookies were set with."""
    for name in (ACCESS, REFRESH, csrf.COOKIE):
        response.del_cookie(name, path="/", secure=True, samesite="Lax")


def _set(
    response: web.StreamResponse, name: str, value: str, ttl: timedelta, *, http_only: bool
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(ttl.total_seconds()),
        path="/",
        secure=True,
        httponly=http_only,
        samesite="Lax",
    )
