"""Operational endpoints: liveness, readiness and metrics."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CollectorRegistry

from lib.health import Health
from lib.http.respond import json_response
from lib.metrics import expose


def routes(health: Health, registry: CollectorRegistry) -> list[web.RouteDef]:
    """Return `/health`, `/livez`, `/readyz` and `/metrics`."""

    async def healthy(_: web.Request) -> web.Response:
        return json_response({"status": "healthy", "service": health.service})

    async def live(_: web.Request) -> web.Response:
        return json_response({"status": "alive", "service": health.service})

    async def ready(_: web.Request) -> web.Response:
        found = await health.check()
        body = {
            "status": "ready" if found.ready else "not ready",
            "service": health.service,
            "checks": found.checks,
        }
        return json_response(body, status=200 if found.ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        body, content_type = expose(registry, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    return [
        web.get("/health", healthy),
        web.get("/livez", live),
        web.get("/readyz", ready),
        web.get("/metrics", metrics),
    ]
