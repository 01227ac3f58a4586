"""Long-lived requests: no deadline ends them, and their duration is not a latency."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from lib.config import Settings
from lib.http.app import METRICS, new_app
from lib.http.route import long_lived
from lib.resilience.deadline import HEADER


@long_lived
async def watch(request: web.Request) -> web.Response:
    await asyncio.sleep(0.3)
    in_progress = request.app[METRICS].get_sample_value("http_requests_in_progress")
    return web.json_response(in_progress)


async def plain(_: web.Request) -> web.Response:
    await asyncio.sleep(0.3)
    return web.Response()


@pytest.fixture
async def client():
    settings = Settings(_env_file=None, request_seconds=0.1)
    app = new_app("test", settings, [web.get("/watch", watch), web.get("/plain", plain)])
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("headers", [{}, {HEADER: "50"}])
async def test_only_what_is_marked_outlives_the_deadline(client, headers) -> None:
    async with client.get("/plain", headers=headers) as answer:
        assert answer.status == 504
    async with client.get("/watch", headers=headers) as answer:
        assert (answer.status, await answer.json()) == (200, 0.0)


async def test_it_is_counted_and_not_timed(client) -> None:
    for path in ("/watch", "/plain"):
        await (await client.get(path)).read()
    registry = client.app[METRICS]

    def timed(route: str) -> float | None:
        labels = {"method": "GET", "route": route}
        return registry.get_sample_value("http_request_duration_seconds_count", labels)

    labels = {"method": "GET", "route": "/watch", "status": "200"}
    assert registry.get_sample_value("http_requests_total", labels) == 1.0
    assert (timed("/watch") or 0, timed("/plain")) == (0, 1.0)
