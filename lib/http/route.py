"""The route of a request as a label: its template, never its raw path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from aiohttp import web

H = TypeVar("H", bound=Callable[..., object])

OTHER = "other"
PROBES = frozenset(("/health", "/livez", "/readyz", "/metrics"))
# The same bytes for everybody, and without them the other services let nobody in.
KEY_SETS = frozenset(("/.well-known/jwks.json", "/api/v1/auth/jwks.json"))


def route_template(request: web.Request) -> str:
    """Return `/api/v1/users/{id}`, or `other` without a match, to keep labels few."""
    resource = request.match_info.route.resource
    return OTHER if resource is None else resource.canonical


_LONG_LIVED: Final = "__is_long_lived__"


def long_lived(handler: H) -> H:
    """Mark a handler whose requests stay open, such as a WebSocket.

    They have no deadline, and their length is nobody's latency.
    """
    setattr(handler, _LONG_LIVED, True)
    return handler


def is_long_lived(request: web.Request) -> bool:
    """Return whether the handler of the request is marked as long-lived."""
    return getattr(request.match_info.handler, _LONG_LIVED, False)
