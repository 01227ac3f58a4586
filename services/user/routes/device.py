"""The device cookie, which a logout does not delete, unlike the session cookies."""

from __future__ import annotations

from aiohttp import web

from services.user.service.devices import COOKIE, Devices


def shown(request: web.Request) -> str | None:
    """Return the device token in the browser's cookie."""
    return request.cookies.get(COOKIE)


def remember(response: web.StreamResponse, token: str, devices: Devices) -> None:
    """Set the device cookie. The cookie grants no permission, so other sites cannot misuse it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(devices.ttl.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )
