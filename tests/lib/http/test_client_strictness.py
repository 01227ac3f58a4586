"""Limits of the client: no cookies or redirects, bounded responses, no repeats in lower layers."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lib.errors import AppError, Code
from lib.http.client import HttpClient, open_client
from lib.http.retry_after import seconds_of
from lib.resilience import RetryPolicy, Upstream

LIMIT = 10_000
NOW = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


class Thing(msgspec.Struct):
    text: str


class Backend:
    """Respond as the name says, and record the requests."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.sent = 0
        self.retry_after = "7"
        app = web.Application()
        app.add_routes([web.route("*", "/{what}", self._answer)])
        self.app = app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        what = request.match_info["what"]
        if what == "cookie":
            answer = web.json_response({"success": True, "data": {"text": "x"}})
            answer.set_cookie("session", "somebody's")
            return answer
        if what.isdigit():
            return web.Response(status=int(what), headers={"Location": "/cookie"})
        if what == "endless":
            return await self._endless(request)
        if what == "packed":
            packed = gzip.compress(b'{"data": {"text": "%s"}}' % b"x")
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        if what == "declared":
            # More than it sends: the length alone must not be believed, nor waited for.
            return web.Response(body=b" " * (LIMIT + 1))
        headers = {"Retry-After": self.retry_after}
        if what == "busy":
            body = {"success": False, "error": {"code": "RATE_LIMIT_EXCEEDED", "message": "slow"}}
            return web.json_response(body, status=429, headers=headers)
        if what == "elsewhere":  # a load balancer's page
            return web.Response(text="<html>", status=503, headers=headers)
        return web.Response(body=b'{"data": {"text": "\xff"}}')

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" " * 1000)
            self.sent += 1000


def once() -> Upstream:
    return Upstream("things", retry=RetryPolicy(attempts=1))


@pytest.fixture
async def backend() -> Backend:
    return Backend()


@pytest.fixture
async def client(backend: Backend) -> AsyncIterator[HttpClient]:
    # By name: no library keeps cookies of an address.
    async with (
        TestServer(backend.app) as server,
        open_client(
            once(), f"http://localhost:{server.port}", seconds=10, max_bytes=LIMIT
        ) as opened,
    ):
        yield opened


async def failure(client: HttpClient, path: str, method: str = "GET") -> AppError:
    with pytest.raises(AppError) as raised:
        await client.call(method, path, Thing)
    return raised.value


async def test_a_cookie_is_not_sent_back(client: HttpClient, backend: Backend) -> None:
    for _ in range(2):
        assert (await client.call("GET", "/cookie", Thing)).text == "x"
    assert [dict(request.cookies) for request in backend.asked] == [{}, {}]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_redirect_is_not_followed(
    client: HttpClient, backend: Backend, status: int, method: str
) -> None:
    assert (await failure(client, f"/{status}", method)).code is Code.SERVICE_UNAVAILABLE
    assert len(backend.asked) == 1


async def test_an_answer_without_end_is_given_up_at_the_limit(
    client: HttpClient, backend: Backend
) -> None:
    assert (await failure(client, "/endless")).code is Code.SERVICE_UNAVAILABLE
    # What the sockets on the way hold is more than the limit, yet not much.
    assert backend.sent < 10_000_000


@pytest.mark.parametrize("path", ["/declared", "/packed", "/mojibake"])
async def test_what_cannot_be_read_is_the_services_fault(client: HttpClient, path: str) -> None:
    assert (await failure(client, path)).code is Code.SERVICE_UNAVAILABLE


async def test_nothing_compressed_is_asked_for(client: HttpClient, backend: Backend) -> None:
    await client.call("GET", "/cookie", Thing)
    assert backend.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("path", "code"),
    [("/busy", Code.RATE_LIMIT_EXCEEDED), ("/elsewhere", Code.SERVICE_UNAVAILABLE)],
)
async def test_how_long_to_wait_is_passed_on(
    client: HttpClient, backend: Backend, path: str, code: Code
) -> None:
    error = await failure(client, path)
    assert (error.code, error.headers) == (code, {"Retry-After": "7"})
    backend.retry_after = "soon"
    assert (await failure(client, path)).headers == {}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),  # a digit, of other people's
        ("0", 0),
        (" 120 ", 120),
        ("99999999999999999999999", 86_400),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 07:28:30 +0000", 30),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:00:00 GMT", 86_400),
        ("Wed, 99 Oct 2026 07:00:00 GMT", None),
    ],
)
def test_how_long_to_wait_is_read_in_both_forms(header: str | None, seconds: int | None) -> None:
    assert seconds_of(header, clock=lambda: NOW - timedelta(0)) == seconds


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_kept_connection_that_breaks_is_not_asked_again_below_us(method: str) -> None:
    asked = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        body = b'{"data": {"text": "x"}}'
        for answered in (True, False):
            await reader.readuntil(b"\r\n\r\n")
            asked += 1
            if answered:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_client(once(), f"http://127.0.0.1:{port}", seconds=10) as client:
            assert (await client.call(method, "/", Thing)).text == "x"
            assert (await failure(client, "/", method)).code is Code.SERVICE_UNAVAILABLE
    assert asked == 2
