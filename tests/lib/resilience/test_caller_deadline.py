"""The caller's deadline limits the server's work, below the server's own limit."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient

from lib.config import Settings
from lib.http.middleware.stack import MiddlewareStack
from lib.resilience.deadline import remaining


@pytest.mark.parametrize(
    ("header", "status", "left"),
    [
        (None, 200, 60.0),
        ("30000", 200, 30.0),
        ("90000", 200, 60.0),
        ("0", 504, 0.0),
        ("soon", 200, 60.0),
    ],
)
async def test_the_shorter_limit_counts(
    aiohttp_client: AiohttpClient, header: str | None, status: int, left: float
) -> None:
    seen: list[float] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(remaining(100.0))
        return web.Response()

    client = await aiohttp_client(application(handler))
    headers = {} if header is None else {"X-Deadline-Ms": header}
    assert (await client.get("/", headers=headers)).status == status
    assert all(left - 20 < value <= left for value in seen)


async def test_a_handler_is_ended_when_its_caller_has_stopped_waiting(
    aiohttp_client: AiohttpClient,
) -> None:
    cancelled = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return web.Response()

    client = await aiohttp_client(application(handler))
    began = time.monotonic()
    answer = await client.get("/", headers={"X-Deadline-Ms": "50"})
    assert (await answer.json())["error"]["code"] == "DEADLINE_EXCEEDED"
    assert time.monotonic() - began < 30
    assert cancelled.is_set()


def application(handler: object) -> web.Application:
    middleware = MiddlewareStack(Settings(request_seconds=60), CollectorRegistry())
    app = web.Application(middlewares=[middleware.serve])
    app.add_routes([web.get("/", handler)])  # type: ignore[arg-type] # either of the two above
    return app
