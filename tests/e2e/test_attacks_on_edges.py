"""Headers, bodies, connections, sockets and inner ports, attacked; see docs/attacks.md."""

from __future__ import annotations

import asyncio
import gzip
import json
import statistics
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from devstack.testing.wait import eventually
from tests.e2e.conftest import Stack
from tests.e2e.deletable import Deletable, deletable

LOGIN = "/api/users/v1/auth/login"
WELL = {"email": "nobody.at.all@example.com", "password": "Not-this-1-for-sure"}
ORIGINS = (
    "null", "https://evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1:1",
    "file://", "*", "http://127.0.0.1@evil.example",
)  # fmt: skip
KINDS = (
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/json; charset=utf-16", "", "x",
)  # fmt: skip
TRACES = (
    "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "00-" + "f" * 32 + "-" + "f" * 16 + "-ff",
    "ff-x-y-z", "00-" + "é" * 32, "x" * 3000,
)  # fmt: skip
# What only services call, by the setting of the service's port.
INNER = (("PRODUCT_PORT", "reservations"), ("USER_PORT", "auth/token"))
FRAMES = (
    '{"type": "send", "client_id": "1", "channel_id": "%s", "text": "\\ud800"}',
    '{"type": "send", "client_id": "1", "channel_id": "%s", "text": "a\\u0000b"}',
    '{"type": "send", "client_id": "1", "channel_id": "%s", "text": 7}',
    '{"type": "resume", "channels": {"%s": -1}}',
    '{"type": "resume", "channels": {"%s": 9223372036854775808}}',
    '{"type": "resume", "channels": {"%s": 1e999}}',
    '{"type": "read", "channel_id": "%s", "message_id": "01890000-0000-7000-8000-00000000dead"}',
    '{"type": "presence", "channel_id": "%s"}',
    '{"type": "typing", "channel_id": "%s"}',
    '{"type": "__proto__", "channel_id": "%s"}',
    "[" * 20_000 + "%s",
    "%s",
)


@pytest.fixture
async def world(stack, identity_provider) -> AsyncIterator[Deletable]:
    async with deletable(stack, identity_provider) as world:
        yield world


async def test_a_compressed_body_is_refused_before_it_is_unpacked(world: Deletable) -> None:
    bomb = b'{"email": "' + b"a" * 5_000_000 + b'"}'
    for encoding, data in (
        ("gzip", gzip.compress(bomb)), ("deflate", zlib.compress(bomb)), ("br", b"\x00" * 100),
        ("gzip, gzip", gzip.compress(gzip.compress(bomb))), ("identity, gzip", gzip.compress(bomb)),
    ):  # fmt: skip
        headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
        async with world.admin.http.post(LOGIN, data=data, headers=headers) as answer:
            assert answer.status == 415, (encoding, answer.status)


async def test_a_body_that_a_form_of_another_site_can_send_is_not_read_as_json(
    world: Deletable,
) -> None:
    for kind in KINDS:
        charset = kind.partition("charset=")[2] or "utf-8"
        headers = {"Content-Type": kind}
        data = json.dumps(WELL).encode(charset)
        async with world.admin.http.post(LOGIN, data=data, headers=headers) as answer:
            assert answer.status in (400, 415), (kind, answer.status)


async def test_no_origin_of_others_is_let_in(world: Deletable) -> None:
    for origin in ORIGINS:
        headers = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
        for method in ("OPTIONS", "GET"):
            async with world.admin.http.request(
                method, "/api/products/v1/products", headers=headers
            ) as answer:
                allowed = answer.headers.get("Access-Control-Allow-Origin")
                assert allowed is None, (origin, method, allowed)
                assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_thousand_ranges_are_no_thousand_parts(world: Deletable) -> None:
    many = "bytes=" + ",".join(f"{n}-{n}" for n in range(1000))
    for path in ("/pages/page.js", "/docs", "/api/products/v1/products"):
        async with world.admin.http.get(path) as answer:
            whole = len(await answer.read())
        async with world.admin.http.get(path, headers={"Range": many}) as answer:
            assert answer.status < 500
            assert len(await answer.read()) <= max(whole, 1000), path


async def test_a_trace_of_a_stranger_breaks_nothing(world: Deletable) -> None:
    for trace in TRACES:
        headers = {"traceparent": trace, "tracestate": "a=" + "b" * 3000, "baggage": "k=" + trace}
        async with world.admin.http.get("/api/products/v1/products", headers=headers) as answer:
            assert answer.status == 200, (trace, await answer.text())


async def test_nothing_that_a_stranger_sends_begins_a_line_in_a_log(
    stack: Stack, world: Deletable
) -> None:
    evil = "%0a%7B%22forged%22%3Atrue%7D%1b[31m"
    url = aiohttp.client.URL(f"{stack.url}/api/products/v1/products/x{evil}", encoded=True)
    headers = {"User-Agent": 'x"} {"forged": true} \x1b[31m'.replace("\x1b", "\\x1b")}
    async with world.admin.http.get(url, headers=headers) as answer:
        assert answer.status in (400, 404)
    log = Path(stack.environ["RUN_DIR"])

    def lines() -> list[str]:
        return [
            line
            for path in log.rglob("access*.log*")
            for line in path.read_text(errors="replace").splitlines()
        ]

    async def written() -> bool:
        return any("forged" in line for line in lines())

    await eventually(written)
    for line in lines():
        assert "forged" not in json.loads(line), line


async def test_a_length_without_end_and_an_odd_method_are_refused_at_once(stack: Stack) -> None:
    port = int(stack.url.rpartition(":")[2])
    for line, status in (
        (b"POST /api/users/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999", 413),
        (b"delete /api/users/v1/users/me HTTP/1.1\r\nHost: x", 400),
        (b"TRACE /api/users/v1/users/me HTTP/1.1\r\nHost: x", 405),
        (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x", 405),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example", 302),  # to the documents
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(line + b"\r\n\r\n")
        said = (await asyncio.wait_for(reader.readline(), 10)).split()
        assert int(said[1]) in {status, 400}, (line, said)
        writer.write_eof()
        assert b"//evil" not in await asyncio.wait_for(reader.read(), 30), line
        writer.close()


async def test_half_requests_do_not_keep_other_users_waiting(
    stack: Stack, world: Deletable
) -> None:
    port = int(stack.url.rpartition(":")[2])
    half = b"POST /api/users/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{"
    slow = []
    for _ in range(300):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(half)
        slow.append(writer)
    try:
        took = []
        for _ in range(40):
            began = time.monotonic()
            answer = await world.customer("GET", "products/v1/products?page_size=1")
            took.append(time.monotonic() - began)
            assert answer.status == 200
        assert statistics.median(took) < 1.0
    finally:
        for writer in slow:
            writer.close()
        for writer in slow:
            with suppress(ConnectionError):
                await writer.wait_closed()


async def test_no_user_calls_what_is_between_services(stack: Stack, world: Deletable) -> None:
    """Directly at a service's port, which the gateway does not lead to."""
    headers = {"Authorization": f"Bearer {world.customer.token}"}
    for name, path in INNER:
        where = f"http://127.0.0.1:{stack.port(name)}/api/v1/{path}"
        for token in ({}, headers):
            async with world.admin.http.post(where, headers=token, json={}) as answer:
                assert answer.status in (400, 401, 403), (where, answer.status)


async def test_the_stores_refuse_a_connection_without_a_password(stack: Stack) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await asyncpg.connect(
            host="127.0.0.1", port=stack.port("POSTGRES_PORT"), user="postgres", password="",
            database="user",
        )  # fmt: skip
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.port("REDIS_PORT"))
    writer.write(b"KEYS *\r\nXADD events:users * kind user.deleted\r\nCONFIG GET dir\r\n")
    for _ in range(3):
        assert (await reader.readline()).startswith(b"-NOAUTH")
    writer.close()


async def test_no_frame_of_a_stranger_breaks_a_socket_or_reads_a_channel(
    world: Deletable,
) -> None:
    path, _ = await world.block()
    channel = path.split("/")[3]
    headers = {"Authorization": f"Bearer {world.stranger.token}"}
    async with world.admin.http.ws_connect("/api/chats/v1/ws", headers=headers) as ws:
        await ws.send_json({"type": "resume", "channels": {channel: 0}})
        for frame in FRAMES:
            await ws.send_str(frame.replace("%s", channel))
        await ws.send_json({"type": "ping"})
        seen: list[str] = []
        while "pong" not in seen:
            said = await ws.receive_json(timeout=20)
            seen.append(said["type"])
            assert said["type"] in {"ready", "resumed", "error", "pong"}, said
            assert said.get("code") != "INTERNAL_ERROR", said
        assert "message" not in seen


async def test_an_answer_kept_for_others_is_not_coloured_by_a_header(world: Deletable) -> None:
    http, path = world.admin.http, "/api/catalogs/v1/services?search=tap&page_size=3"
    odd = {
        "Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher",
        "Accept-Language": "xx", "Accept": "text/html", "X-Forwarded-Prefix": "//evil.example",
    }  # fmt: skip
    async with http.get(path, headers=odd) as answer:
        poisoned = await answer.text()
    async with http.get(path) as answer:
        clean = await answer.json()
        assert "evil" not in json.dumps(clean)
        assert "evil" not in poisoned
        assert answer.status == 200
