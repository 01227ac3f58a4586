"""The route of a request as a label: its template, never its raw path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from aiohttp import web

H = TypeVar("H", bound=Callable[..., object])

OTHER = "other"
PROBES = frozenset(("/health", "/livez", "/readyz", "/metrics"))
# The response is the same for all callers, and without it the other services admit no caller.
KEY_SETS = frozenset(("/.well-known/jwks.json", "/api/v1/auth/jwks.json"))


_LONG_LIVED: Final = "__is_long_lived__"


def long_lived(handler: H) -> H:
    """Mark a handler whose requests stay open, such as a WebSocket.

    Such requests have no deadline, and their duration is not measured as a latency.
    """
    setattr(handler, _LONG_LIVED, True)
    return handler


class RouteFacts:
    """The template of a route, and whether its handler is long-lived."""

    __slots__ = ("is_long_lived", "template")

    def __init__(self, route: web.AbstractRoute) -> None:
        self.template = template_of(route)
        self.is_long_lived: bool = getattr(route.handler, _LONG_LIVED, False)


def template_of(route: web.AbstractRoute) -> str:
    """Return `/api/v1/users/{id}`, or `other` without a match, to keep labels few."""
    return OTHER if route.resource is None else route.resource.canonical
