"""A listening service, with behaviour that its test client would not show."""

from __future__ import annotations

import asyncio
import gzip
import socket
from contextlib import AsyncExitStack

import aiohttp
import msgspec
import pytest
from aiohttp import web

from devstack.settings import ROOT
from devstack.testing.wait import DEADLINE
from lib.config import Settings
from lib.http import decode, respond
from lib.http.app import new_app
from lib.http.client import IDLE_SECONDS
from lib.http.server import serve_app
from lib.resource.input import Input


class Note(Input, frozen=True, kw_only=True):
    text: str


async def take(request: web.Request) -> web.Response:
    return respond.ok(await decode.body(request, Note))


@pytest.fixture
async def client():
    settings = Settings(max_body_bytes=2000)
    app = new_app("notes", settings, [web.post("/notes", take)])
    async with (
        serve_app(app, settings, port=0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        yield client


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "rot13"])
@pytest.mark.parametrize(
    "data", [gzip.compress(b" " * 1_000_000), b"neither"], ids=["a bomb", "neither"]
)
async def test_a_compressed_body_is_refused_without_a_look_at_it(client, encoding, data) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    for _ in range(2):  # the connection is as good as before
        async with client.post("/notes", data=data, headers=headers) as answer:
            error = msgspec.json.decode(await answer.read())["error"]
            assert (answer.status, error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
            assert answer.headers["Accept-Encoding"] == "identity"


SECRET = b"Authorization: Bearer tell-nobody"


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"GET /notes?a=\xd9\xa1 HTTP/1.1\r\n" + SECRET, id="bytes in the address"),
        pytest.param(b"GET /notes HTTP/1.1\r\n" + SECRET + b"\x01", id="a control character"),
        pytest.param(b"GET /notes HTTP/1.1\r\n" + b"A: b\r\n" * 200 + SECRET, id="200 headers"),
        pytest.param(b"GET /" + b"n" * 9000 + b" HTTP/1.1\r\n" + SECRET, id="a long address"),
        pytest.param(b"\x16\x03\x01" + SECRET, id="no HTTP at all"),
    ],
)
async def test_what_cannot_be_read_is_refused_in_the_envelope_and_none_of_it_logged(
    client, request_, caplog
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client._base_url.port)
    writer.write(request_ + b"\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    error = msgspec.json.decode(body)["error"]
    assert head.split()[1] == b"400"
    assert (error["code"], error["request_id"].encode() in head) == ("BAD_REQUEST", True)
    assert "tell-nobody" not in body.decode()
    assert "tell-nobody" not in caplog.text
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


ASK = b"GET /notes HTTP/1.1\r\nHost: here\r\n\r\n"


async def tell(request: web.Request) -> web.Response:
    return respond.ok("told")


@pytest.fixture
def lingering(monkeypatch) -> None:
    """A service that serves open connections longer than a stall can last."""
    monkeypatch.setattr("lib.http.server._LINGER_SECONDS", 2 * DEADLINE)


@pytest.fixture
async def ending():
    """A server that can be stopped, and its port."""
    settings = Settings(drain_seconds=60)  # longer than anything here is waited for
    app = new_app("notes", settings, [web.get("/notes", tell)])
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serve_app(app, settings, port=0))
        yield stack, port


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(ASK)
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readuntil(b"}")


async def _closed(port: int) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return
            writer.close()


async def test_an_idle_connection_is_answered_once_more_after_draining_began(
    lingering, ending
) -> None:
    stack, port = ending
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert b"Connection: close" not in await _ask(reader, writer)
    leaving = asyncio.create_task(stack.aclose())
    await _closed(port)
    answer = await _ask(reader, writer)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in answer
    assert await reader.read() == b""
    writer.close()
    async with asyncio.timeout(DEADLINE):  # nobody is left to be waited for
        await leaving


async def test_who_was_connected_when_the_port_closed_is_answered(ending) -> None:
    stack, port = ending
    # The kernel connects them while the loop is busy here, so they wait to be accepted.
    callers = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for caller in callers:
        caller.sendall(ASK)
        caller.setblocking(False)
    leaving = asyncio.create_task(stack.aclose())
    loop = asyncio.get_running_loop()
    for caller in callers:
        with caller:
            assert (await loop.sock_recv(caller, 1000)).startswith(b"HTTP/1.1 200")
    await leaving


async def test_a_caller_that_keeps_its_connection_delays_the_end_by_moments_only(ending) -> None:
    stack, port = ending
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _ask(reader, writer)
    async with asyncio.timeout(DEADLINE):
        await stack.aclose()
    writer.close()


def test_the_gateway_lets_go_of_an_idle_connection_before_a_service_that_ends_does() -> None:
    template = (ROOT / "nginx/nginx.conf.j2").read_text()
    assert f"keepalive_timeout {IDLE_SECONDS:.0f}s;" in template.partition("upstream {{")[2]
