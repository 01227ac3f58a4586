"""The HTTP client through a real proxy that delays, stalls, cuts and garbles."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from devstack.testing.proxy import Proxy, proxy
from devstack.testing.wait import eventually
from lib import context
from lib.config import Settings
from lib.errors import AppError, Code, FieldError, invalid
from lib.http.client import HttpClient, open_client
from lib.http.middleware.shell import Shell
from lib.http.respond import ok
from lib.resilience import BreakerPolicy, RetryPolicy, State, Upstream, budget

RETRY = RetryPolicy(attempts=3, first=0.01, longest=0.02, jitter=0.01)


class Thing(msgspec.Struct):
    name: str


class Backend:
    """A server that counts what reaches it and remembers the last headers."""

    def __init__(self) -> None:
        self.reached = 0
        self.headers: dict[str, str] = {}
        self.error: Exception | None = None
        self.app = web.Application(middlewares=[Shell(Settings(), CollectorRegistry()).serve])
        self.app.add_routes([web.route("*", "/thing", self._thing)])

    async def _thing(self, request: web.Request) -> web.Response:
        await request.read()
        self.reached += 1
        self.headers = dict(request.headers)
        if self.error is not None:
            raise self.error
        return ok(Thing("x" * 5000))


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
async def chaos(backend: Backend) -> AsyncIterator[Proxy]:
    async with TestServer(backend.app) as server:
        assert server.port is not None
        async with proxy("127.0.0.1", server.port) as running:
            yield running


def calling(
    chaos: Proxy, policy: BreakerPolicy | None = None, *, seconds: float = 1.0
) -> AbstractAsyncContextManager[HttpClient]:
    upstream = Upstream("things", policy, retry=RETRY)
    return open_client(upstream, f"http://127.0.0.1:{chaos.port}", seconds=seconds)


@pytest.fixture
async def client(chaos: Proxy) -> AsyncIterator[HttpClient]:
    async with calling(chaos, BreakerPolicy(min_requests=1000)) as opened:
        yield opened


async def get(client: HttpClient) -> Thing:
    return await client.call("GET", "/thing", Thing)


async def failure(client: HttpClient, method: str = "GET", *, within: float = 5.0) -> AppError:
    began = time.monotonic()
    with pytest.raises(AppError) as failed:
        await client.call(method, "/thing", Thing, body={} if method == "POST" else None)
    assert time.monotonic() - began < within, "it took longer than its budget"
    return failed.value


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
    assert (await get(client)).name


async def test_a_read_cut_in_the_middle_is_sent_again_a_write_is_not(
    client: HttpClient, chaos: Proxy, backend: Backend
) -> None:
    chaos.cut_after = 100
    await failure(client)
    assert backend.reached == 3
    backend.reached = 0
    await failure(client, "POST")
    assert backend.reached == 1
    with pytest.raises(AppError):
        await client.call("POST", "/thing", Thing, body={}, idempotency_key="k")
    assert backend.reached == 4
    assert backend.headers["Idempotency-Key"] == "k"


async def test_a_dead_upstream_costs_nothing_after_three_failures_and_is_found_again(
    chaos: Proxy,
) -> None:
    async with calling(chaos, BreakerPolicy(open_seconds=4.0)) as client:
        chaos.stalled = True
        for _ in range(3):
            assert (await failure(client)).code is Code.DEADLINE_EXCEEDED
        began = time.monotonic()
        refusals = [await failure(client) for _ in range(20)]
        assert {error.code for error in refusals} == {Code.CIRCUIT_OPEN}
        assert time.monotonic() - began < 3  # one that is tried takes a second: twenty
        chaos.heal()

        async def found_again() -> bool:
            try:
                await get(client)
            except AppError as error:
                return error.code is not Code.CIRCUIT_OPEN
            return True

        await eventually(found_again)
        for _ in range(2):
            await get(client)
        assert client.upstream.breaker.state is State.CLOSED


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
    chaos: Proxy, backend: Backend, error: AppError
) -> None:
    backend.error = error
    async with calling(chaos, seconds=30) as client:  # nothing here is about time
        for _ in range(5):
            back = await failure(client, within=60)
            assert (back.code, back.message) == (error.code, error.message)
            assert back.details == error.details
    assert backend.reached == 5


async def test_request_id_deadline_and_trace_go_along(client: HttpClient, backend: Backend) -> None:
    context.request_id.set("request-0001")
    with budget(0.2):
        await get(client)
    assert backend.headers["X-Request-ID"] == "request-0001"
    assert 0 < int(backend.headers["X-Deadline-Ms"]) <= 200
