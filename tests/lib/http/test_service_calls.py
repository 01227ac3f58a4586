"""Calls with a service's own token, and the behaviour without a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from lib.auth.principal import unauthorized
from lib.auth.service_tokens import ServiceTokens
from lib.auth.tokens import Issued
from lib.clock import utc_now
from lib.config import Settings
from lib.errors import AppError, Code
from lib.http.client import HttpClient, open_client
from lib.http.middleware.stack import MiddlewareStack
from lib.http.respond import ok
from lib.resilience import BreakerPolicy, State, Upstream
from lib.resilience.deadline import HEADER


class Thing(msgspec.Struct):
    text: str


class World:
    """An issuer, an upstream that accepts the token `good`, and a client between them."""

    def __init__(self) -> None:
        self.given = self.reached = 0
        self.down: AppError | None = None
        self.good = "token-1"
        self.now = utc_now()
        self.tokens = ServiceTokens(self._issue, clock=lambda: self.now)
        self.client: HttpClient

    async def _issue(self) -> Issued:
        if self.down is not None:
            raise self.down
        self.given += 1
        return Issued(f"token-{self.given}", "", self.now + timedelta(minutes=15))

    async def answer(self, request: web.Request) -> web.Response:
        self.reached += 1
        assert int(request.headers[HEADER]) > 0
        if request.headers.get("Authorization") != f"Bearer {self.good}":
            raise unauthorized()
        return ok(Thing("x"))

    async def code(self) -> str:
        try:
            await self.client.call("GET", "/", Thing)
        except AppError as error:
            return error.code.value
        return "ok"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    app = web.Application(middlewares=[MiddlewareStack(Settings(), CollectorRegistry()).serve])
    app.add_routes([web.get("/", world.answer)])
    upstream = Upstream("things", BreakerPolicy(min_requests=1), tokens=world.tokens)
    async with (
        TestServer(app) as server,
        open_client(upstream, str(server.make_url("/")), seconds=10) as world.client,
    ):
        yield world


async def test_every_call_carries_the_services_token(world: World) -> None:
    assert [await world.code() for _ in range(3)] == ["ok"] * 3
    assert world.given == 1


async def test_a_token_that_cannot_be_had_is_not_held_against_the_upstream(world: World) -> None:
    world.down = AppError(Code.SERVICE_UNAVAILABLE, "the user service is not available")
    for _ in range(5):
        assert await world.code() == Code.SERVICE_UNAVAILABLE
    assert (world.reached, world.client.upstream.breaker.state) == (0, State.CLOSED)
    world.down = None
    assert await world.code() == "ok"


async def test_our_token_refused_is_not_our_callers_and_replaced(world: World) -> None:
    assert await world.code() == "ok"
    world.good = "token-2"  # the issuer has new keys
    world.now += timedelta(seconds=11)
    assert await world.code() == Code.SERVICE_UNAVAILABLE
    assert await world.code() == "ok"
    assert (world.reached, world.client.upstream.breaker.state) == (3, State.CLOSED)
