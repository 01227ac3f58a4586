"""The handler of an address is looked up once, and is the handler that aiohttp finds."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from lib.config import Settings
from lib.http import dispatch
from lib.http.app import new_app
from lib.http.server import serve_app


async def describe(request: web.Request) -> web.Response:
    return web.json_response(
        [request.method, request.match_info.route.resource.canonical, dict(request.match_info)]
    )


ROUTES = [
    web.get("/things/{id}", describe),
    web.post("/things/{id}", describe),
    web.get("/things/mine", describe),
    web.get("/things/{id}/parts/{part:[0-9]+}", describe),
]


PATHS = (
    "/things/1", "/things/2", "/things/mine", "/things/%2F", "/things/a%20b?page=2",
    "/things/1/parts/7", "/things/1/parts/x", "/things", "/none", "/livez",
)  # fmt: skip


@pytest.fixture
async def served():
    app = new_app("shop", Settings(), ROUTES)
    async with (
        serve_app(app, Settings(), port=0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        yield app, client


@pytest.fixture
async def as_library(aiohttp_client):
    return await aiohttp_client(new_app("shop", Settings(), ROUTES))


async def _answer(client: Any, method: str, path: str) -> tuple[int, Any]:
    async with client.request(method, path, skip_auto_headers=["Content-Type"]) as answer:
        if answer.content_type != "application/json" or method == "HEAD":
            return answer.status, None
        body = await answer.json()
        return answer.status, body["error"]["code"] if "error" in body else body


async def test_each_address_is_served_as_by_the_library_however_often(served, as_library) -> None:
    _, client = served
    for path in PATHS:
        for method in ("GET", "HEAD", "POST", "DELETE"):
            wanted = await _answer(as_library, method, path)
            for _ in range(2):
                assert await _answer(client, method, path) == wanted


async def test_an_address_is_looked_up_once(served, monkeypatch) -> None:
    app, client = served
    looked_up = []
    resolve = app.router.resolve

    async def counting(request: web.Request) -> Any:
        looked_up.append(request.path)
        return await resolve(request)

    monkeypatch.setattr(app.router, "resolve", counting)
    for _ in range(3):
        assert (await _answer(client, "GET", "/things/1?page=3"))[0] == 200
    assert looked_up == ["/things/1"]


async def test_addresses_that_callers_make_up_take_no_memory(monkeypatch) -> None:
    monkeypatch.setattr(dispatch, "_MOST", 8)
    tables = []
    make = dispatch.Dispatch.__init__

    def made(self, *arguments):
        tables.append(self)
        make(self, *arguments)

    monkeypatch.setattr(dispatch.Dispatch, "__init__", made)
    app = new_app("shop", Settings(), ROUTES)
    async with (
        serve_app(app, Settings(), port=0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        for number in range(30):
            assert (await _answer(client, "GET", f"/things/{number}"))[0] == 200
            assert (await _answer(client, "GET", f"/nothing/{number}"))[0] == 404
        assert (await _answer(client, "GET", "/things/" + "x" * 200))[0] == 200
    [table] = tables
    assert 0 < len(table._found) <= 8
    assert all("nothing" not in path and "xxx" not in path for _, path in table._found)


async def test_a_client_that_expects_100_continue_gets_it(served) -> None:
    _, client = served
    port = client._base_url.port
    for _ in range(2):
        assert (await _answer(client, "POST", "/things/1"))[0] == 200  # known from now on
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /things/1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            b"Content-Length: 2\r\nConnection: close\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"{}")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_middleware_keeps_its_order() -> None:
    order: list[str] = []

    def note(name: str):
        @web.middleware
        async def noting(request, handler):
            order.append(name)
            return await handler(request)

        return noting

    app = new_app("shop", Settings(), ROUTES)
    app.middlewares.extend([note("first"), note("second")])
    async with (
        serve_app(app, Settings(), port=0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        for _ in range(2):
            assert (await _answer(client, "GET", "/things/1"))[0] == 200
    assert order == ["first", "second"] * 2
