"""The part of the catalog service that service orders use: it has everything, or is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from aiohttp import web

from devstack.testing.serving import served
from tests.services.running import refusal


class Trouble(StrEnum):
    """How the catalog service can fail."""

    BROKEN = "broken"
    SILENT = "silent"
    GARBLED = "garbled"
    BUSY = "busy"


class FakeCatalog:
    """Respond over real HTTP as a test sets; `missing` are services that it does not have."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.trouble: Trouble | None = None
        self.asked = 0
        self.url = ""

    async def service(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.trouble is Trouble.SILENT:
            await asyncio.sleep(30)
        if self.trouble is Trouble.BROKEN:
            return refusal("INTERNAL_ERROR", 500)
        if self.trouble is Trouble.GARBLED:
            return web.Response(text="<html>")
        if self.trouble is Trouble.BUSY:
            return refusal("RATE_LIMIT_EXCEEDED", 429)
        service_id = request.match_info["id"]
        if service_id in self.missing:
            return refusal("NOT_FOUND", 404)
        data = {"id": service_id, "name": "Repair a tap", "version": 1}
        return web.json_response({"success": True, "data": data})


@asynccontextmanager
async def running_catalog() -> AsyncIterator[FakeCatalog]:
    catalog = FakeCatalog()
    app = web.Application()
    app.router.add_get("/api/v1/services/{id}", catalog.service)
    async with served(app) as catalog.url:
        yield catalog
