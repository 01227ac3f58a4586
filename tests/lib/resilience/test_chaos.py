"""The HTTP client through a proxy that delays, stalls, cuts and garbles."""

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
from devstack.testing.wait import DEADLINE, eventually
from lib import context
from lib.config import Settings
from lib.errors import AppError, Code, FieldError, invalid
from lib.http.client import HttpClient, open_client
from lib.http.middleware.stack import MiddlewareStack
from lib.http.respond import ok
from lib.resilience import BreakerPolicy, RetryPolicy, State, Upstream, budget

NEVER_OPEN = BreakerPolicy(min_requests=1000)
RETRY = RetryPolicy(attempts=3, first=0.01, longest=0.02, jitter=0.01)


class Thing(msgspec.Struct):
    name: str


class Backend:
    """A server that counts its requests and stores the last headers."""

    def __init__(self) -> None:
        self.reached = 0
        self.headers: dict[str, str] = {}
        self.error: Exception | None = None
        self.app = web.Application(
            middlewares=[MiddlewareStack(Settings(), CollectorRegistry()).serve]
        )
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
    chaos: Proxy, policy: BreakerPolicy | None = None, *, seconds: float = DEADLINE / 2
) -> AbstractAsyncContextManager[HttpClient]:
    upstream = Upstream("things", policy, retry=RETRY)
    return open_client(upstream, f"http://127.0.0.1:{chaos.port}", seconds=seconds)


@pytest.fixture
async def client(chaos: Proxy) -> AsyncIterator[HttpClient]:
    async with calling(chaos, NEVER_OPEN) as opened:
        yield opened


async def get(client: HttpClient) -> Thing:
    return await client.call("GET", "/thing", Thing)


async def failure(client: HttpClient, method: str = "GET") -> AppError:
    began = time.monotonic()
    with pytest.raises(AppError) as failed:
        await client.call(method, "/thing", Thing, body={} if method == "POST" else None)
    assert time.monotonic() - began < DEADLINE, "it took longer than its budget"
    return failed.value


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ({"delay": 2 * DEADLINE}, Code.DEADLINE_EXCEEDED),
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
    chaos: Proxy, trouble: dict[str, float], code: Code
) -> None:
    # Short where that is what runs out.
    seconds = 1.0 if code is Code.DEADLINE_EXCEEDED else DEADLINE / 2
    async with calling(chaos, NEVER_OPEN, seconds=seconds) as client:
        for name, value in trouble.items():
            setattr(chaos, name, value)
        assert (await failure(client)).code is code
        chaos.heal()
        chaos.cut()

        async def is_healed() -> bool:
            try:
                return bool((await get(client)).name)
            except AppError:
                return False  # a second is short on a busy machine

        await eventually(is_healed)


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
    policy = BreakerPolicy(first_open_seconds=60, open_seconds=60)
    async with calling(chaos, policy, seconds=0.4) as client:
        breaker, passed = client.upstream.breaker, 0.0
        breaker._clock = lambda: time.monotonic() + passed
        chaos.stalled = True
        for _ in range(3):
            assert (await failure(client)).code is Code.DEADLINE_EXCEEDED
        # One that is tried takes its time, and is not refused.
        refusals = [await failure(client) for _ in range(20)]
        assert {error.code for error in refusals} == {Code.CIRCUIT_OPEN}
        chaos.heal()
        passed = 60.0

        async def found_again() -> bool:
            nonlocal passed
            try:
                await get(client)
            except AppError:
                passed += 60.0
            return breaker.state is State.CLOSED

        await eventually(found_again)


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
    async with calling(chaos) as client:
        for _ in range(5):
            back = await failure(client)
            assert (back.code, back.message) == (error.code, error.message)
            assert back.details == error.details
    assert backend.reached == 5


async def test_request_id_deadline_and_trace_go_along(client: HttpClient, backend: Backend) -> None:
    context.request_id.set("request-0001")
    with budget(DEADLINE / 3):
        await get(client)
    assert backend.headers["X-Request-ID"] == "request-0001"
    assert 0 < int(backend.headers["X-Deadline-Ms"]) <= 1000 * DEADLINE / 3
