"""The cookie of a device: another one than a session's, because it outlives a logout."""

from __future__ import annotations

from aiohttp import web

from services.user.service.devices import COOKIE, Devices


def shown(request: web.Request) -> str | None:
    """Return the token that a browser shows."""
    return request.cookies.get(COOKIE)


def remember(response: web.StreamResponse, token: str, devices: Devices) -> None:
    """Give it to the browser. It is no permission to do anything, so other sites gain nothing."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(devices.ttl.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )
