"""The real NGINX with a service that responds, is down, hangs or fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from devstack.embedded.ports import free_port
from devstack.testing.serving import served
from devstack.testing.wait import eventually
from tests.ops.gateways import gateway_of, public


@pytest.fixture
def heard() -> asyncio.Event:
    """Return whether the service that hangs has received a request."""
    return asyncio.Event()


@pytest.fixture
async def upstream(heard: asyncio.Event) -> AsyncIterator[int]:
    """A replacement for the user service; yield its port."""

    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"path": request.raw_path, **dict(request.headers)})

    async def silent(_: web.Request) -> web.Response:
        heard.set()
        await asyncio.sleep(60)
        return web.Response()

    async def failing(_: web.Request) -> web.Response:
        body = {"success": False, "error": {"code": "RATE_LIMIT_EXCEEDED"}}
        return web.json_response(body, status=429, headers={"Retry-After": "7"})

    app = web.Application()
    app.router.add_get("/api/v1/echo", echo)
    app.router.add_get("/api/v1/silent", silent)
    app.router.add_get("/api/v1/failing", failing)
    async with served(app) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
async def proxy(upstream: int, run_dir: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a gateway with `upstream` as user and nothing as order."""
    services = (public("user", upstream), public("order", free_port()))
    async with (
        gateway_of(run_dir, *services, read_seconds=3) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url) as session,
    ):
        yield session


async def test_the_service_is_told_who_asks_for_what_and_under_which_id(proxy):
    claimed = {"X-Forwarded-For": "10.0.0.1", "X-Request-ID": "caller-id-1", "Connection": "x"}
    async with proxy.get("/api/users/v1/echo?a=1&b=%20", headers=claimed) as answer:
        seen = await answer.json()
    assert seen["path"] == "/api/v1/echo?a=1&b=%20"
    assert seen["X-Request-ID"] == "caller-id-1"
    assert seen["X-Forwarded-For"] == seen["X-Real-IP"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "http"
    assert seen["X-Forwarded-Prefix"] == "/api/users/v1"
    assert seen["Host"] == seen["X-Forwarded-Host"] == str(proxy._base_url.authority)
    assert "Connection" not in seen


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/orders/v1/orders", 502, "SERVICE_UNAVAILABLE"),
        ("/api/users/v1/silent", 504, "DEADLINE_EXCEEDED"),
    ],
)
async def test_a_service_that_is_dead_or_silent_is_answered_for(proxy, path, status, code):
    async with proxy.get(path, headers={"X-Request-ID": "caller-id-2"}) as answer:
        body = await answer.json()
    assert (answer.status, answer.content_type) == (status, "application/json")
    assert body["success"] is False
    assert body["error"] | {"code": code, "request_id": "caller-id-2"} == body["error"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_a_service_answers_itself_is_passed_on_as_it_is(proxy):
    async with proxy.get("/api/users/v1/failing") as answer:
        body = await answer.json()
    assert (answer.status, body["error"]) == (429, {"code": "RATE_LIMIT_EXCEEDED"})
    assert answer.headers.getall("Retry-After") == ["7"]


async def test_a_caller_who_hangs_up_is_no_error(proxy, heard, run_dir):
    asking = asyncio.ensure_future(proxy.get("/api/users/v1/silent"))
    await heard.wait()
    asking.cancel()
    log = run_dir / "nginx" / "access.log"
    await eventually(lambda: "silent" in log.read_text())
    line = next(json.loads(x) for x in log.read_text().splitlines() if "silent" in x)
    assert line["status"] == 499


async def test_redirects_name_no_host_and_port_of_ours(proxy):
    async with proxy.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/docs/")
