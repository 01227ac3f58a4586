"""The part of the user service that orders use: it returns users, or does not respond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from aiohttp import web

from devstack.testing.auth import TestIssuer
from devstack.testing.serving import served
from lib.auth import Role
from tests.services.running import refusal

ALICE = "01890000-0000-7000-8000-00000000f101"
BOB = "01890000-0000-7000-8000-00000000f102"
INACTIVE = "01890000-0000-7000-8000-00000000f103"
NOBODY = "01890000-0000-7000-8000-00000000f104"


class Trouble(StrEnum):
    """How the user service can fail."""

    BROKEN = "broken"
    SILENT = "silent"
    GARBLED = "garbled"
    FORBIDDING = "forbidding"


class FakeUsers:
    """Respond over real HTTP as a test sets; `asked` counts the requests.

    With `together`, a request is held until this number of requests waits.
    """

    def __init__(self, issuer: TestIssuer) -> None:
        self.people = {ALICE: "active", BOB: "active", INACTIVE: "inactive"}
        self.together: asyncio.Barrier | None = None
        self.trouble: Trouble | None = None
        self.asked = 0
        self.url = ""
        self._issuer = issuer

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v1/users/{id}", self._person)
        app.router.add_post("/api/v1/auth/token", self._token)
        return app

    async def _person(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.together is not None:
            try:
                await asyncio.wait_for(self.together.wait(), 0.2)
            except TimeoutError:
                return refusal("INTERNAL_ERROR", 500)
        if self.trouble is Trouble.SILENT:
            await asyncio.sleep(30)
        if self.trouble is Trouble.BROKEN:
            return refusal("INTERNAL_ERROR", 500)
        if self.trouble is Trouble.GARBLED:
            return web.Response(text="<html>")
        if self.trouble is Trouble.FORBIDDING:
            return refusal("FORBIDDEN", 403)
        person = request.match_info["id"]
        if person not in self.people:
            return refusal("NOT_FOUND", 404)
        data = {"id": person, "name": "Alice", "email": "alice@example.com", "age": None}
        return web.json_response({"success": True, "data": data | {"status": self.people[person]}})

    async def _token(self, request: web.Request) -> web.Response:
        asked = await request.json()
        who, wanted = asked["client_id"], asked["permissions"]
        header = self._issuer.authorized(*wanted, subject=who, role=Role.SERVICE)["Authorization"]
        data = {
            "access_token": header.removeprefix("Bearer "),
            "expires_at": "2100-01-01T00:00:00Z",
        }
        return web.json_response({"success": True, "data": data})


@asynccontextmanager
async def running_users(issuer: TestIssuer, *, port: int = 0) -> AsyncIterator[FakeUsers]:
    users = FakeUsers(issuer)
    async with served(users.application(), port=port) as users.url:
        yield users
