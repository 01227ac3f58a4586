"""A gateway for one test in front of replacements for the user service."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web

from devstack import gateway
from devstack.embedded import children
from devstack.embedded.account import Account
from devstack.embedded.home import Home
from devstack.embedded.ports import free_port
from devstack.programs import answers
from devstack.settings import Service, Settings
from devstack.testing.serving import served
from devstack.testing.wait import eventually

ECHO = "/api/users/v1/echo"


@dataclass
class StandIn:
    """A replacement for a replica of the user service: it responds and records the requests."""

    port: int
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)  # of its answers

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append((request.method, request.raw_path, dict(request.headers), body))
        self.connections.add(request.transport and request.transport.get_extra_info("peername"))
        found = {"success": True, "data": "x" * 2000}
        return web.json_response(found, headers=self.headers)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application(client_max_size=1 << 25)
        app.router.add_route("*", "/{path:.*}", self.answer)
        async with served(app, port=self.port):
            yield


@dataclass
class Gateway:
    """A running NGINX: its settings and its process."""

    settings: Settings
    process: subprocess.Popen[bytes]


@asynccontextmanager
async def running(
    account: Account | None, config: Path, port: int
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run NGINX and yield when it responds; its output is `nginx.log`, beside its configuration."""
    said = config.with_name("nginx.log")
    with said.open("wb") as log:
        nginx = children.spawn(gateway.command(config), log=log, account=account)
    answering = answers(port, "/healthz")

    async def answers_or_is_gone() -> bool:
        return nginx.poll() is not None or await answering()

    try:
        with contextlib.suppress(TimeoutError):
            await eventually(answers_or_is_gone)
        if not await answering():
            workers = [] if nginx.poll() else psutil.Process(nginx.pid).children()
            state = f"exit code {nginx.returncode}, workers {workers}"
            pytest.fail(f"NGINX does not answer on {port} ({state}):\n{said.read_text()}")
        yield nginx
    finally:
        await asyncio.to_thread(children.stop, nginx, within=5)


@asynccontextmanager
async def gateway_before(
    run: Path, ports: Sequence[int], trusted: tuple[str, ...] = (), *, name: str = "user"
) -> AsyncIterator[Gateway]:
    """Yield a gateway whose service has a replica on each of the ports."""
    replicas = {name: [f"127.0.0.1:{port}" for port in ports]}
    service = public(name, ports[0])
    async with gateway_of(run, service, replicas=replicas, trusted_proxies=trusted) as nginx:
        yield nginx


def public(name: str, port: int, *, websocket: bool = False) -> Service:
    """Return a service that the gateway serves."""
    return Service(
        name=name, port=port, grpc_port=None, public=True, database=False, websocket=websocket
    )


@asynccontextmanager
async def gateway_of(
    run: Path,
    *services: Service,
    read_seconds: int = gateway.READ_SECONDS,
    replicas: Mapping[str, Sequence[str]] | None = None,
    environ: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[Gateway]:
    """Yield a gateway of these services; its output is in `nginx/nginx.log`."""
    settings = Settings(
        home=Home(run),
        gateway_port=free_port(),
        services=services,
        environ=environ or {},
        **options,
    )
    account, config = gateway.prepare(settings, read_seconds=read_seconds)
    if replicas is not None:
        place = gateway.Place(listen=f"127.0.0.1:{settings.gateway_port}", addresses=replicas)
        config.write_text(gateway.render(settings, config.parent, place=place))
    async with running(account, config, settings.gateway_port) as nginx:
        yield Gateway(settings, nginx)
