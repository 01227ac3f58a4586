"""The limits of one client's bodies at the gateway: size, number and time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import aiohttp
import msgspec
import pytest
import yarl
from aiohttp import web

from devstack.testing.wait import DEADLINE, eventually
from lib.config import Settings
from lib.http import decode, respond
from lib.http.app import new_app
from lib.http.server import serve_app
from lib.resource.input import Input
from tests.ops.gateways import ECHO, gateway_before

MIB = 1 << 20
# Of one network of a home or an office, which all of it belongs to one client.
NETWORK, OTHER = "2001:db8:1:2", "2001:db8:1:3"


def head(size: int, client: str) -> bytes:
    return (
        f"POST {ECHO} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size}\r\nX-Forwarded-For: {client}\r\n\r\n"
    ).encode()


def kept(folder: Path, nginx: int) -> int:
    """Return the bytes of bodies on the disk.

    NGINX has removed their names but keeps the files open.
    """
    size = 0
    for worker in Path(f"/proc/{nginx}/task/{nginx}/children").read_text().split():
        for opened in Path(f"/proc/{worker}/fd").iterdir():
            with suppress(OSError):
                if str(opened.readlink()).startswith(str(folder)):
                    size += opened.stat().st_size
    return size


async def test_500_connections_fill_no_disk(service, run_dir) -> None:
    """Each announces 2 MiB and sends a part: few are read, and none is written to disk."""
    async with gateway_before(run_dir, [service.port], ("127.0.0.1",)) as nginx:
        held = [
            await asyncio.open_connection("127.0.0.1", nginx.settings.gateway_port)
            for _ in range(500)
        ]
        for _, writer in held:
            writer.write(head(2 * MIB, "203.0.113.7") + bytes(100_000))
        answered: Counter[bytes] = Counter()

        async def first(reader: asyncio.StreamReader) -> None:
            with suppress(ConnectionError):
                answered[(await reader.readline())[:12]] += 1

        waiting = [asyncio.create_task(first(reader)) for reader, _ in held]
        # Those that are read are told later, and something else.
        await eventually(lambda: answered[b"HTTP/1.1 429"] >= 480)
        assert kept(run_dir / "nginx" / "body", nginx.process.pid) == 0
        for one in waiting:
            one.cancel()
        async with (
            aiohttp.ClientSession(nginx.settings.gateway_url) as http,
            http.post(ECHO, headers={"X-Forwarded-For": "203.0.113.8"}) as answer,
        ):
            assert answer.status == 200
        for _, writer in held:
            writer.close()


class Note(Input, frozen=True, kw_only=True):
    text: str


@pytest.fixture
async def real() -> AsyncIterator[int]:
    """A service of the platform, with a request limit of a second."""

    async def take(request: web.Request) -> web.Response:
        return respond.ok(await decode.body(request, Note))

    settings = Settings(request_seconds=1)
    app = new_app("user", settings, [web.post("/api/v1/echo", take)])
    async with serve_app(app, settings, port=0) as port:
        yield port


async def test_a_body_that_trickles_is_over_with_the_time_of_its_request(real, run_dir) -> None:
    """An occasional byte keeps no connection longer than a normal request may take."""
    async with gateway_before(run_dir, [real], ("127.0.0.1",)) as nginx, AsyncExitStack() as stack:
        port = nginx.settings.gateway_port
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(500)]
        for _, writer in held:
            stack.callback(writer.close)
            writer.write(head(50_000, "203.0.113.7") + b"{")
        until = time.monotonic() + DEADLINE
        open_still = 500
        while open_still and time.monotonic() < until:
            for _, writer in held:
                if not writer.is_closing():
                    writer.write(b" ")
            await asyncio.sleep(0.2)
            open_still = sum(not (reader._buffer or reader.at_eof()) for reader, _ in held)
        assert open_still == 0


@pytest.mark.parametrize(("name", "path"), [("user", "auth/token"), ("product", "reservations")])
async def test_what_is_for_services_is_not_there_for_the_public(
    service, run_dir, name, path
) -> None:
    async with (
        gateway_before(run_dir, [service.port], name=name) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url) as http,
    ):
        for spelled in (path, f"{path}/", path.replace("e", "%65", 1), f"x/../{path}", f"/{path}"):
            url = f"{nginx.settings.gateway_url}/api/{name}s/v1/{spelled}"
            async with http.post(yarl.URL(url, encoded=True), json={}) as answer:
                error = msgspec.json.decode(await answer.read())["error"]
                assert (answer.status, error["code"]) == (404, "NOT_FOUND"), spelled
        assert service.asked == []
        async with http.get(f"/api/{name}s/v1/other") as answer:
            assert answer.status == 200


async def test_a_network_of_ipv6_is_one_client(service, run_dir) -> None:
    async with (
        gateway_before(run_dir, [service.port], ("127.0.0.1",)) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url) as http,
    ):

        async def sign_in(client: str) -> int:
            headers = {"X-Forwarded-For": client}
            async with http.post("/api/users/v1/auth/login", headers=headers) as answer:
                return answer.status

        statuses = await asyncio.gather(*(sign_in(f"{NETWORK}::{n:x}") for n in range(1, 400)))
        assert 429 in statuses
        assert await sign_in(f"{OTHER}::1") == 200
