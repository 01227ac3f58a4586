"""The route of a request as a label: its template, never its raw path."""

from __future__ import annotations

from aiohttp import web

OTHER = "other"
PROBES = frozenset(("/health", "/livez", "/readyz", "/metrics"))


def route_template(request: web.Request) -> str:
    """Return `/api/v1/users/{id}`, or `other` where no route matched: labels stay few."""
    resource = request.match_info.route.resource
    return OTHER if resource is None else resource.canonical
