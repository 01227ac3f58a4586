"""The gateway follows the names of services to new addresses, as after a roll-out."""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from devstack import gateway
from devstack.embedded.home import Home
from devstack.embedded.ports import free_port
from devstack.settings import ROOT, Settings
from devstack.testing.wait import eventually
from tests.ops.gateways import ECHO, public, running

START = ROOT / "deploy/docker/gateway/start.sh"
CONFIGURATION = ROOT / "deploy/docker/gateway/nginx.conf"
NAME = "user.platform.test"
_A, _AAAA = 1, 28


class Dns(asyncio.DatagramProtocol):
    """A DNS server for one name, whose address the test changes."""

    def __init__(self, address: str | None) -> None:
        self.address = address
        self.asked = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        end = data.index(b"\0", 12) + 5
        question, (kind,) = data[12:end], struct.unpack("!H", data[end - 4 : end - 2])
        self.asked += 1
        known = self.address is not None
        answer = b""
        if self.address is not None and kind == _A:
            # The answer would hold for an hour; the gateway asks again all the same.
            head = struct.pack("!HHHIH", 0xC00C, _A, 1, 3600, 4)
            answer = head + socket.inet_aton(self.address)
        flags = 0x8180 if known else 0x8183
        header = data[:2] + struct.pack("!HHHHH", flags, 1, bool(answer), 0, 0)
        assert self._transport is not None
        self._transport.sendto(header + question + answer, sender)


@asynccontextmanager
async def dns(address: str | None) -> AsyncIterator[tuple[Dns, int]]:
    """Serve DNS; yield the server and its port."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: Dns(address), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def gateway_by_name(run: Path, port: int, dns_port: int) -> AsyncIterator[str]:
    """Run a gateway that knows its service by name; yield its address."""
    settings = Settings(
        home=Home(run), gateway_port=free_port(), services=(public("user", port),), environ={}
    )
    account, config = gateway.prepare(settings)
    place = gateway.Place(
        listen=f"127.0.0.1:{settings.gateway_port}",
        addresses={"user": [f"{NAME}:{port}"]},
        resolves=True,
    )
    config.write_text(gateway.render(settings, config.parent, place=place))
    resolver = config.with_name("resolver.conf")
    resolver.write_text(f"resolver 127.0.0.1:{dns_port} valid=1s ipv6=off;\n")
    resolver.chmod(0o644)
    async with running(account, config, settings.gateway_port):
        yield settings.gateway_url


@asynccontextmanager
async def answering(host: str, port: int) -> AsyncIterator[None]:
    """Run a service at one address of this machine; its response is this address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = host.encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        writer.write(body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, host, port)
    try:
        yield
    finally:
        server.close()


async def test_requests_follow_a_service_to_its_new_address(run_dir: Path) -> None:
    port = free_port()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(answering("127.0.0.2", port))
        server, dns_port = await stack.enter_async_context(dns("127.0.0.2"))
        url = await stack.enter_async_context(gateway_by_name(run_dir, port, dns_port))
        http = await stack.enter_async_context(aiohttp.ClientSession(url))

        async def answers_from(address: str) -> bool:
            async with http.get(ECHO) as answer:
                return answer.status == 200 and await answer.text() == address

        await eventually(lambda: answers_from("127.0.0.2"))
        await stack.enter_async_context(answering("127.0.0.3", port))
        server.address = "127.0.0.3"
        await eventually(lambda: answers_from("127.0.0.3"))
        assert server.asked > 1


async def test_a_gateway_starts_before_its_service_has_an_address(run_dir: Path) -> None:
    port = free_port()
    async with AsyncExitStack() as stack:
        server, dns_port = await stack.enter_async_context(dns(None))
        url = await stack.enter_async_context(gateway_by_name(run_dir, port, dns_port))
        http = await stack.enter_async_context(aiohttp.ClientSession(url))
        async with http.get(ECHO) as answer:
            assert answer.status == 502
            assert (await answer.json())["error"]["code"] == "SERVICE_UNAVAILABLE"
        await stack.enter_async_context(answering("127.0.0.2", port))
        server.address = "127.0.0.2"

        async def is_found() -> bool:
            async with http.get(ECHO) as answer:
                return answer.status == 200

        await eventually(is_found)


@contextmanager
def started(
    tmp_path: Path, *, resolv: str, hosts: str = "", nginx: str = ":", **environ: str
) -> Iterator[Path]:
    """Run the container's start script on files of the test; yield its folder."""
    (tmp_path / "resolv.conf").write_text(resolv)
    (tmp_path / "hosts").write_text(hosts)
    (tmp_path / "nginx").write_text(f"#!/bin/sh\n{nginx}\n")
    (tmp_path / "nginx").chmod(0o755)
    script = (
        START.read_text()
        .replace("/var/lib/gateway", str(tmp_path / "run"))
        .replace("/etc/nginx/nginx.conf", str(CONFIGURATION))
        .replace("/etc/resolv.conf", str(tmp_path / "resolv.conf"))
        .replace("/etc/hosts", str(tmp_path / "hosts"))
    )
    (tmp_path / "run").mkdir()
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "GATEWAY_LOG": "stdout", **environ}
    subprocess.run(["sh", "-c", script], env=environ, check=True, capture_output=True)
    yield tmp_path / "run"


@pytest.mark.parametrize(
    ("resolv", "hosts", "environ", "resolver", "server"),
    [
        ("nameserver 127.0.0.11\n", "", {}, " 127.0.0.11", "user:8081 resolve"),
        (
            "search shop.svc.cluster.local svc.cluster.local\nnameserver fd00::a\n",
            "",
            {"KUBERNETES_SERVICE_HOST": "10.0.0.1"},
            " [fd00::a]",
            "user.shop.svc.cluster.local:8081 resolve",
        ),
        ("nameserver 10.0.0.2\n", "127.255.0.1 user\n", {}, " 10.0.0.2", "user:8081"),
        ("", "", {}, " 127.0.0.1", "user:8081"),
    ],
    ids=["Compose", "Kubernetes", "ECS Service Connect", "no DNS"],
)
def test_a_container_looks_services_up_as_its_platform_names_them(
    tmp_path: Path, resolv: str, hosts: str, environ: dict[str, str], resolver: str, server: str
) -> None:
    with started(tmp_path, resolv=resolv, hosts=hosts, **environ) as run:
        assert (run / "resolver.conf").read_text() == f"resolver{resolver} valid=5s;\n"
        written = (run / "nginx.conf").read_text()
    assert f"server {server} max_fails=3" in written
    assert f"server {server} max_fails=0 backup" in written


def test_an_nginx_that_cannot_look_names_up_again_starts_without(tmp_path: Path) -> None:
    refusing = "grep -q ' resolve ' \"$4\" 2>/dev/null && echo 'invalid parameter \"resolve\"' >&2"
    with started(tmp_path, resolv="nameserver 127.0.0.11\n", nginx=f"{refusing}; true") as run:
        assert " resolve " not in (run / "nginx.conf").read_text()
