"""Optional settings of the gateway: TLS with HTTP/2, WebSockets, the classic log."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from devstack import gateway
from devstack.embedded.home import Home
from devstack.embedded.ports import free_port
from devstack.settings import Settings, Tls
from devstack.supervisor import StartError
from devstack.testing.certificates import self_signed
from devstack.testing.serving import served
from devstack.testing.wait import eventually
from tests.ops.gateways import Gateway, gateway_of, public


@pytest.fixture
async def chat() -> AsyncIterator[int]:
    """A replacement for the chat service: it echoes messages and the headers of the handshake."""

    async def echo(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade") is None:
            return web.json_response(dict(request.headers))
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_json(dict(request.headers))
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
        return ws

    app = web.Application()
    app.router.add_get("/api/v1/ws", echo)
    app.router.add_get("/api/v1/channels", echo)
    async with served(app) as address:
        yield int(address.rpartition(":")[2])


def gateway_before(run: Path, chat: int, **options) -> AbstractAsyncContextManager[Gateway]:
    return gateway_of(run, public("chat", chat, websocket=True), **options)


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    certificate, key = self_signed(tmp_path, "127.0.0.1")
    return Tls(certificate, key, free_port())


@pytest.fixture
def trust(tls: Tls) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=tls.certificate)


async def test_a_socket_becomes_a_websocket_and_other_routes_do_not(run_dir, chat):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    async with (
        gateway_before(run_dir, chat) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url) as client,
    ):
        async with client.ws_connect("/api/chats/v1/ws") as ws:
            seen = await ws.receive_json()
            await ws.send_str("hello")
            assert await ws.receive_str() == "hello"
        async with client.get("/api/chats/v1/channels", headers=upgrade) as answer:
            plain = await answer.json()
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Prefix"] == "/api/chats/v1"
    assert "Upgrade" not in plain
    assert "Connection" not in plain


async def test_an_address_may_have_200_websockets_and_no_more(run_dir, chat):
    async with (
        gateway_before(run_dir, chat) as nginx,
        aiohttp.ClientSession(
            nginx.settings.gateway_url, connector=aiohttp.TCPConnector(limit=0)
        ) as client,
        AsyncExitStack() as stack,
    ):
        for _ in range(200):
            await stack.enter_async_context(client.ws_connect("/api/chats/v1/ws"))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/api/chats/v1/ws")
        assert refused.value.status == 429
        async with client.get("/api/chats/v1/channels") as answer:  # what is no socket passes
            assert answer.status == 200


async def test_with_a_certificate_the_gateway_speaks_tls_and_http2(run_dir, chat, tls, trust):
    async with (
        gateway_before(run_dir, chat, tls=tls) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url) as client,
    ):
        async with client.get("/api/chats/v1/channels", ssl=trust) as answer:
            assert (await answer.json())["X-Forwarded-Proto"] == "https"
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        async with client.ws_connect("/api/chats/v1/ws", ssl=trust) as ws:
            assert (await ws.receive_json())["X-Forwarded-Proto"] == "https"
        assert _agreed(trust, tls.port, ["h2", "http/1.1"]) == ("h2", "TLSv1.3")
        old = ssl.create_default_context(cafile=tls.certificate)
        with pytest.warns(DeprecationWarning, match="TLS"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _agreed(old, tls.port, ["http/1.1"])


def _agreed(context: ssl.SSLContext, port: int, protocols: list[str]) -> tuple[str | None, ...]:
    """Return the protocol and the TLS version of a connection."""
    context.set_alpn_protocols(protocols)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        return secure.selected_alpn_protocol(), secure.version()


async def test_without_tls_there_is_only_the_way_to_it(run_dir, chat, tls):
    async with (
        gateway_before(run_dir, chat, tls=tls) as nginx,
        aiohttp.ClientSession(f"http://127.0.0.1:{nginx.settings.gateway_port}") as client,
        client.post("/api/chats/v1/channels?a=%20", allow_redirects=False) as answer,
    ):
        assert answer.status == 308
        there = f"https://127.0.0.1:{tls.port}/api/chats/v1/channels?a=%20"
        assert answer.headers["Location"] == there


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({}, "https://127.0.0.1:{port}"),
        ({"PUBLIC_URL": "https://shop.example.com"}, "https://shop.example.com"),
        ({"PUBLIC_URL": "https://example.com:8443/shop/"}, "https://example.com:8443/shop"),
    ],
)
async def test_the_way_to_tls_does_not_follow_the_callers_host(
    run_dir, chat, tls, environ, where
) -> None:
    async with (
        gateway_before(run_dir, chat, tls=tls, environ=environ) as nginx,
        aiohttp.ClientSession(f"http://127.0.0.1:{nginx.settings.gateway_port}") as client,
    ):
        for host in ("evil.example", "evil.example:8080", "shop.example.com.evil.example"):
            headers = {"Host": host}
            async with client.get("/a?b=c", headers=headers, allow_redirects=False) as answer:
                assert answer.status == 308
                assert answer.headers["Location"] == f"{where.format(port=tls.port)}/a?b=c"


@pytest.mark.parametrize("url", ["http://shop.example.com", "https://a b", "https://a;return 1;#"])
def test_a_public_url_that_is_none_of_tls_is_refused_before_nginx_starts(run_dir, tls, url) -> None:
    settings = Settings(
        home=Home(run_dir), gateway_port=free_port(), services=(), environ={"PUBLIC_URL": url},
        tls=tls,
    )  # fmt: skip
    with pytest.raises(StartError, match="PUBLIC_URL"):
        gateway.here(settings)


async def test_who_speaks_no_tls_to_the_port_of_tls_is_told_so_in_the_envelope(run_dir, chat, tls):
    async with gateway_before(run_dir, chat, tls=tls):
        reader, writer = await asyncio.open_connection("127.0.0.1", tls.port)
        writer.write(b"GET /api/chats/v1/channels HTTP/1.1\r\nHost: a\r\n\r\n")
        head, _, body = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
        writer.close()
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["message"] == "this port requires TLS: use https"


def test_the_key_is_for_the_gateway_alone(run_dir, tls):
    settings = Settings(
        home=Home(run_dir), gateway_port=free_port(), services=(), environ={}, tls=tls
    )
    gateway.prepare(settings)
    assert (run_dir / "nginx" / "tls" / "key.pem").stat().st_mode & 0o077 == 0


def test_a_key_that_does_not_fit_is_one_sentence(run_dir, tmp_path, tls):
    (tmp_path / "other").mkdir()
    _, other = self_signed(tmp_path / "other", "127.0.0.1")
    wrong = Tls(tls.certificate, other, tls.port)
    settings = Settings(
        home=Home(run_dir), gateway_port=free_port(), services=(), environ={}, tls=wrong
    )
    with pytest.raises(StartError, match=r"^NGINX refuses its configuration: .*key"):
        gateway.prepare(settings)


# The expression with which the exporter of an older system read this log.
CLASSIC = re.compile(
    r'^(?P<remote>\S*) (?P<host>\S*) (?P<user>\S*) \[(?P<time>[^\]]*)\] "(?P<method>\w+)'
    r'(?:\s+(?P<path>[^"]*?)(?:\s+\S*)?)?" (?P<status>\S*) (?P<size>\S*)(?:\s"(?P<referer>[^"]*)") '
    r'"(?P<agent>[^"]*)" (?P<urt>\S*)$'
)


async def test_the_classic_log_holds_no_query_string(run_dir, chat):
    async with (
        gateway_before(run_dir, chat, log_format="classic") as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url, headers={"User-Agent": "t"}) as client,
    ):
        await (await client.get("/api/chats/v1/channels?token=secret")).read()
        log = run_dir / "nginx" / "access.log"
        await eventually(lambda: "channels" in log.read_text())
    line = CLASSIC.match(log.read_text().splitlines()[-1])
    assert line is not None
    assert (line["method"], line["path"], line["status"], line["agent"]) == (
        "GET", "/api/chats/v1/channels", "200", "t",
    )  # fmt: skip
    assert float(line["urt"]) >= 0
