"""The HTTP client through a real proxy that delays, stalls, cuts and garbles."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lib import context
from lib.errors import AppError, Code, FieldError, invalid
from lib.http.client import HttpClient, open_session
from lib.http.middleware.recovery import recovery
from lib.http.respond import ok
from lib.resilience import (
    BreakerPolicy,
    Bulkhead,
    CircuitBreaker,
    RetryPolicy,
    State,
    Upstream,
    budget,
)
from lib.testing.proxy import Proxy, proxy

RETRY = RetryPolicy(attempts=3, first=0.01, longest=0.02, jitter=0.01)


class Thing(msgspec.Struct):
    name: str


class Backend:
    """A server that counts what reaches it and remembers the last headers."""

    def __init__(self) -> None:
        self.reached = 0
        self.headers: dict[str, str] = {}
        self.error: Exception | None = None
        self.app = web.Application(middlewares=[recovery])
        self.app.add_routes([web.route("*", "/thing", self._thing)])
        self.app.add_routes([web.get("/plain", self._plain)])

    async def _thing(self, request: web.Request) -> web.Response:
        await request.read()
        self.reached += 1
        self.headers = dict(request.headers)
        if self.error is not None:
            raise self.error
        return ok(Thing("x" * 5000))

    async def _plain(self, request: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>bad gateway</html>")


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
async def chaos(backend: Backend) -> AsyncIterator[Proxy]:
    async with TestServer(backend.app) as server:
        assert server.port is not None
        async with proxy("127.0.0.1", server.port) as running:
            yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


def client_of(session: aiohttp.ClientSession, chaos: Proxy, **policy: float) -> HttpClient:
    breaker = CircuitBreaker("things", BreakerPolicy(**policy))  # type: ignore[arg-type] # numbers
    upstream = Upstream(breaker, Bulkhead("things"), RETRY)
    return HttpClient(session, f"http://127.0.0.1:{chaos.port}", upstream, seconds=0.4)


@pytest.fixture
def client(session: aiohttp.ClientSession, chaos: Proxy) -> HttpClient:
    return client_of(session, chaos, min_requests=1000)


async def failure(client: HttpClient, method: str = "GET") -> AppError:
    began = time.monotonic()
    with pytest.raises(AppError) as failed:
        await client.request(method, "/thing", body={} if method == "POST" else None)
    assert time.monotonic() - began < 1.0, "it took longer than its budget"
    return failed.value


async def test_through_a_faithful_proxy_the_answer_arrives(client: HttpClient) -> None:
    assert (await client.get("/thing", Thing)).name == "x" * 5000


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ({"delay": 5.0}, Code.DEADLINE_EXCEEDED),
        ({"stalled": True}, Code.DEADLINE_EXCEEDED),
        ({"refusing": True}, Code.SERVICE_UNAVAILABLE),
        ({"garbled": True}, Code.SERVICE_UNAVAILABLE),
        ({"cut_after": 0}, Code.SERVICE_UNAVAILABLE),
        ({"cut_after": 40}, Code.SERVICE_UNAVAILABLE),
        ({"cut_after": 2000}, Code.SERVICE_UNAVAILABLE),
    ],
    ids=repr,
)
async def test_every_trouble_is_an_error_within_the_budget_and_heals(
    client: HttpClient, chaos: Proxy, trouble: dict[str, float], code: Code
) -> None:
    for name, value in trouble.items():
        setattr(chaos, name, value)
    assert (await failure(client)).code is code
    chaos.heal()
    chaos.cut()
    assert (await client.get("/thing", Thing)).name


async def test_a_read_cut_in_the_middle_is_sent_again_a_write_is_not(
    client: HttpClient, chaos: Proxy, backend: Backend
) -> None:
    chaos.cut_after = 100
    await failure(client)
    # aiohttp repeats an idempotent request once itself when its connection breaks.
    assert backend.reached in (3, 6)
    backend.reached = 0
    await failure(client, "POST")
    assert backend.reached == 1
    with pytest.raises(AppError):
        await client.request("POST", "/thing", body={}, idempotency_key="k")
    assert backend.reached == 4
    assert backend.headers["Idempotency-Key"] == "k"


async def test_a_dead_upstream_costs_nothing_after_three_failures_and_is_found_again(
    session: aiohttp.ClientSession, chaos: Proxy
) -> None:
    client = client_of(session, chaos, open_seconds=0.2)
    chaos.stalled = True
    for _ in range(3):
        assert (await failure(client)).code is Code.DEADLINE_EXCEEDED
    began = time.monotonic()
    refusals = [await failure(client) for _ in range(100)]
    assert {error.code for error in refusals} == {Code.CIRCUIT_OPEN}
    assert time.monotonic() - began < 0.2
    chaos.heal()
    await asyncio.sleep(0.25)
    for _ in range(3):
        await client.get("/thing", Thing)
    assert client._upstream.breaker.state is State.CLOSED


@pytest.mark.parametrize(
    "error",
    [
        AppError(Code.NOT_FOUND, "thing not found"),
        AppError(Code.CONFLICT, "taken"),
        invalid(FieldError("lines[2].quantity", "is required")),
        AppError(Code.RATE_LIMIT_EXCEEDED, "slow down", headers={"Retry-After": "7"}),
    ],
    ids=repr,
)
async def test_an_error_comes_back_as_the_same_error_and_does_not_open_the_circuit(
    session: aiohttp.ClientSession, chaos: Proxy, backend: Backend, error: AppError
) -> None:
    client = client_of(session, chaos)
    backend.error = error
    for _ in range(5):
        back = await failure(client)
        assert (back.code, back.message) == (error.code, error.message)
        assert (back.details, back.headers) == (error.details, error.headers)
    assert backend.reached == 5


async def test_an_answer_without_our_envelope_is_judged_by_its_status(client: HttpClient) -> None:
    with pytest.raises(AppError) as failed:
        await client.request("GET", "/plain")
    assert failed.value.code is Code.INTERNAL_ERROR


async def test_request_id_deadline_and_trace_go_along(client: HttpClient, backend: Backend) -> None:
    context.request_id.set("request-0001")
    with budget(0.2):
        await client.get("/thing", Thing)
    assert backend.headers["X-Request-ID"] == "request-0001"
    assert 0 < int(backend.headers["X-Deadline-Ms"]) <= 200
