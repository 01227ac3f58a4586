"""Attacks on headers, bodies, connections, sockets and internal ports; see docs/attacks.md."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import statistics
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from devstack.testing.wait import eventually
from tests.e2e.conftest import Stack
from tests.e2e.deletable import Deletable, User, deletable

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
# What only services call: the setting of the service's port, the path at the gateway, the route,
# a body that a service might send, and the answer to a signed-in user.
NOTHING = "01890000-0000-7000-8000-00000000dead"
LINE = {"product_id": NOTHING, "quantity": 1}
INNER = (
    ("PRODUCT_PORT", "products", "reservations", {"lines": [LINE]}, 403),
    ("PRODUCT_PORT", "products", "reservations/confirm", {"ids": [NOTHING]}, 403),
    ("USER_PORT", "users", "auth/token", {"client_id": "order", "client_secret": "x"}, 401),
)  # fmt: skip
FRAMES = (
    '{"type": "send", "client_id": "1", "channel_id": "%s", "text": "Hello"}',
    '{"type": "send", "client_id": "1", "channel_id": "%s", "text": "\\ud800"}',
    '{"type": "send", "client_id": "1", "channel_id": "%s", "text": "a\\u0000b"}',
    '{"type": "send", "client_id": "1", "channel_id": "%s", "text": 7}',
    '{"type": "resume", "channels": {"%s": -1}}',
    '{"type": "resume", "channels": {"%s": 9223372036854775808}}',
    '{"type": "resume", "channels": {"%s": 1e999}}',
    '{"type": "read", "channel_id": "%s", "message_id": "%m"}',
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


async def test_a_compressed_body_is_refused_before_it_is_unpacked(
    stack: Stack, world: Deletable
) -> None:
    direct = f"http://127.0.0.1:{stack.port('USER_PORT')}/api/v1/auth/login"
    bomb = b'{"email": "' + b"a" * 5_000_000 + b'"}'
    for encoding, data in (
        ("gzip", gzip.compress(bomb)), ("deflate", zlib.compress(bomb)), ("br", b"\x00" * 100),
        ("gzip, gzip", gzip.compress(gzip.compress(bomb))), ("identity, gzip", gzip.compress(bomb)),
    ):  # fmt: skip
        headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
        for where in (LOGIN, direct):
            async with world.admin.http.post(where, data=data, headers=headers) as answer:
                assert answer.status == 415, (where, encoding, answer.status)


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
    # Packed answers have no ranges. Of a small file the parts would be longer than the whole.
    plain = {"Accept-Encoding": "identity"}
    large = "/docs/assets/swagger-ui-bundle.js"
    async with world.admin.http.get(large, headers=plain | {"Range": "bytes=0-0"}) as answer:
        assert (answer.status, len(await answer.read())) == (206, 1)
    for path in (large, "/pages/page.js", "/docs", "/api/products/v1/products"):
        async with world.admin.http.get(path, headers=plain) as answer:
            whole = len(await answer.read())
        for ranges in (many, "bytes=0-0,2-2"):
            async with world.admin.http.get(path, headers=plain | {"Range": ranges}) as answer:
                assert (answer.status, len(await answer.read())) == (200, whole), path


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

    def of_gateway() -> list[str]:
        return [
            line
            for path in log.rglob("access*.log*")
            for line in path.read_text(errors="replace").splitlines()
        ]

    def of_service() -> list[str]:
        return [line.partition("| ")[2] for line in stack.lines if "forged" in line]

    async def written() -> bool:
        return any("forged" in line for line in of_gateway()) and bool(of_service())

    await eventually(written)
    for line in (*of_gateway(), *of_service()):
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
    half = (
        "PATCH /api/users/v1/users/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {world.stranger.token}\r\nContent-Length: 500\r\n\r\n{{"
    )
    slow, ended = [], []
    for _ in range(300):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(half.encode())
        slow.append(writer)
        ended.append(asyncio.create_task(reader.read(1)))
    try:
        took = []
        # Of the service that has the half requests, and each over a connection of its own.
        async with aiohttp.ClientSession(
            stack.url, connector=aiohttp.TCPConnector(force_close=True)
        ) as http:
            other = User(http, world.customer.token)
            for path in ("users/v1/users/me", "products/v1/products?page_size=1") * 20:
                began = time.monotonic()
                answer = await other("GET", path)
                took.append(time.monotonic() - began)
                assert answer.status == 200
                if len(took) == 2:  # answered before any half request timed out
                    assert not any(one.done() for one in ended)
        assert statistics.median(took) < 1.0
    finally:
        for one, writer in zip(ended, slow, strict=True):
            one.cancel()
            writer.close()
        for writer in slow:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_no_user_calls_what_is_between_services(stack: Stack, world: Deletable) -> None:
    """The test sends requests directly to a service's port, to which the gateway does not lead."""
    key = {"Idempotency-Key": "an-order"}
    token = {"Authorization": f"Bearer {world.customer.token}"}
    for port, name, route, body, refused in INNER:
        direct = f"http://127.0.0.1:{stack.port(port)}/api/v1/{route}"
        for where, headers, status in (
            (direct, key, 401), (direct, key | token, refused),
            (f"/api/{name}/v1/{route}", key | token, 404),
        ):  # fmt: skip
            async with world.admin.http.post(where, headers=headers, json=body) as answer:
                assert answer.status == status, (where, headers.keys(), await answer.text())


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
    assert (await world.customer("DELETE", path)).status == 200
    channel = path.split("/")[3]

    async def say(text: str) -> str:
        written = {"client_id": text, "text": text}
        return await world.customer.make(f"chats/v1/channels/{channel}/messages", **written)

    first = await say("first")
    http = world.admin.http

    def opened(who: User) -> contextlib.AbstractAsyncContextManager[Any]:
        headers = {"Authorization": f"Bearer {who.token}"}
        return http.ws_connect("/api/chats/v1/ws", headers=headers)

    async with opened(world.customer) as theirs, opened(world.stranger) as ws:
        for one in (theirs, ws):
            await one.send_json({"type": "resume", "channels": {channel: 0}})
        for frame in FRAMES:
            await ws.send_str(frame.replace("%s", channel).replace("%m", first))

        async def answered() -> None:
            await ws.send_json({"type": "ping"})
            seen: list[str] = []
            while "pong" not in seen:
                said = await ws.receive_json(timeout=60)
                seen.append(said["type"])
                assert said["type"] in {"ready", "resumed", "error", "pong"}, said
                assert said.get("code") != "INTERNAL_ERROR", said

        await answered()
        await say("second")
        texts: list[str] = []
        while "second" not in texts:  # what the stranger caused comes before
            said = await theirs.receive_json(timeout=60)
            assert said["type"] in {"ready", "resumed", "message"}, said
            texts.append(said.get("text", ""))
        assert [text for text in texts if text] == ["first", "second"]
        await answered()


async def test_an_answer_kept_for_others_is_not_coloured_by_a_header(world: Deletable) -> None:
    http, path = world.admin.http, "/api/catalogs/v1/services?search=tap&page_size=3"
    odd = {
        "Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher",
        "Accept-Language": "xx", "Accept": "text/html", "X-Forwarded-Prefix": "//evil.example",
    }  # fmt: skip
    seen = []
    for headers in (odd, {}):
        async with http.get(path, headers=headers) as answer:
            assert answer.status == 200
            assert "evil" not in str(answer.headers)
            seen.append((await answer.text(), answer.content_type, answer.headers["ETag"]))
    assert seen[0] == seen[1]
    assert "evil" not in seen[0][0]
