"""Replicas of services behind the real NGINX: restarted in turn without failed requests."""

from __future__ import annotations

import asyncio
import collections
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from devstack import gateway, imports
from devstack.embedded import children
from devstack.embedded.forks import Forks
from devstack.embedded.ports import free_port
from devstack.programs import answers
from devstack.settings import Service, service_names
from devstack.testing.auth import TestIssuer
from devstack.testing.wait import eventually
from lib.auth import Role, SigningKey
from tests.conftest import Full
from tests.open_path import open_path
from tests.ops.replicas import Replica, settings
from tests.services.calling import by_hand
from tests.services.chat.replicas import Mover
from tests.services.chat.talking import CUSTOMER, PROVIDER, open_between

# Those with most to lose come first: what is sold, what is said, and whom everybody asks.
FIRST = ("order", "chat", "user")
# Below what the gateway lets one address ask for: 500 a second.
REQUESTS_PER_SECOND = 60
ALICE = "01890000-0000-7000-8000-000000000001"
HAMMER = "01890000-0000-7000-8000-000000000a02"
MAY = ("jobs:read", "orders:manage", "products:write", "users:read")
# Between services: connections are handed on to whichever replica takes them, as in a cluster.
INSIDE = """
daemon off;
pid {run}/inside.pid;
worker_processes 1;
events {{ worker_connections 1024; }}
stream {{ {doors} }}
"""
DOOR = """
    upstream {name} {{ {servers} }}
    server {{ listen 127.0.0.1:{port}; proxy_connect_timeout 1s; proxy_pass {name}; }}
"""


@dataclass
class Platform:
    """Its gateway, its replicas, its token issuer, and the URLs of its databases."""

    url: str
    replicas: list[Replica]
    restarted: list[Replica]  # those that have another
    issuer: TestIssuer
    databases: Mapping[str, str]


@dataclass
class Seen:
    """The responses to the callers."""

    answered: collections.Counter[str] = field(default_factory=collections.Counter)
    failed: list[str] = field(default_factory=list)


def _inside(replicas: Mapping[str, list[Service]], run: Path) -> tuple[Path, dict[str, str]]:
    """Write the load balancer between services; return it and the settings that name it."""
    doors, told = "", {}
    for name, services in replicas.items():
        ports = {f"{name}-http": [service.port for service in services]}
        if services[0].grpc_port:
            ports[f"{name}-grpc"] = [service.grpc_port or 0 for service in services]
        for door, behind in ports.items():
            servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in behind)
            port = free_port()
            doors += DOOR.format(name=door, servers=servers, port=port)
            if door.endswith("grpc"):
                told[f"{name.upper()}_GRPC_ADDRESS"] = f"127.0.0.1:{port}"
            else:
                told[f"{name.upper()}_URL"] = f"http://127.0.0.1:{port}"
    told["AUTH_JWKS_URL"] = f"{told['USER_URL']}/.well-known/jwks.json"
    told["AUTH_TOKEN_URL"] = f"{told['USER_URL']}/api/v1/auth/token"
    config = run / "inside.conf"
    config.write_text(INSIDE.format(run=run, doors=doors))
    config.chmod(0o644)
    return config, told


@pytest.fixture
def forks() -> Iterator[Forks]:
    with imports.shared(os.environ) as forks:
        yield forks


@pytest.fixture
async def platform(new_database, run_dir, redis_url, forks, full: Full) -> AsyncIterator[Platform]:
    """Two replicas of some services (of all in the long run) behind gateway and balancer.

    They are forked from one process that has imported the common modules, as `make run` does.
    """
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    front, back = (settings(run_dir, redis_url, url, port) for _ in range(2))
    names = sorted(service_names(), key=lambda name: (name not in FIRST, name))
    twice = names[: full(len(names), sample=len(FIRST))]
    account, config = gateway.prepare(front)
    copies = [(s, front) for s in front.services]
    copies += [(s, back) for s in back.services if s.name in twice]
    replicas = {name: [s for s, _ in copies if s.name == name] for name in names}
    addresses = {
        name: [f"127.0.0.1:{service.port}" for service in found]
        for name, found in replicas.items()
        if found[0].public
    }
    place = gateway.Place(listen=f"127.0.0.1:{port}", addresses=addresses)
    config.write_text(gateway.render(front, config.parent, place=place))
    inside, peers = _inside(replicas, config.parent)
    databases = {s.name: await new_database(s.name, demo=True) for s in front.services}
    fork = await imports.ready(forks, pytest.fail)
    found = [Replica(s, copy, databases[s.name], peers, fork) for s, copy in copies]
    servers = [
        children.spawn(gateway.command(path), log=subprocess.DEVNULL, account=account)
        for path in (config, inside)
    ]
    try:
        await asyncio.gather(*(replica.start() for replica in found))
        await eventually(answers(front.gateway_port, "/healthz"))
        key = SigningKey.from_pem(front.home.secret("user_signing_keys"))
        again = [replica for replica in found if replica.service.name in twice]
        yield Platform(url, found, again, TestIssuer(key, name=url), databases)
    finally:
        await asyncio.gather(*(replica.stop() for replica in found))
        for server in servers:
            children.stop(server, by=signal.SIGTERM, within=10)


async def _read(http: aiohttp.ClientSession, path: str, seen: Seen) -> None:
    """Request a page; a page of users must have their points, which come by gRPC."""
    async with http.get(path) as answer:
        body = await answer.json()
        seen.answered[path] += 1
        if answer.status != 200:
            seen.failed.append(f"{path}: {answer.status} {body['error']['code']}")
        elif path.endswith("/users") and any(u["points"] is None for u in body["data"]["users"]):
            seen.failed.append(f"{path}: without points")


async def _order(http: aiohttp.ClientSession, seen: Seen) -> None:
    """Place an order, which calls user and product, and confirm it exactly once."""
    wanted = {"user_id": ALICE, "lines": [{"product_id": HAMMER, "quantity": 1}]}
    key = {"Idempotency-Key": str(uuid4())}
    async with http.post("/api/orders/v1/orders", json=wanted, headers=key) as answer:
        order = await answer.json()
        seen.answered["POST orders"] += 1
        if answer.status != 201:
            seen.failed.append(f"POST orders: {answer.status} {order['error']['message']}")
            return
    path = f"/api/orders/v1/orders/{order['data']['id']}"
    then = {"json": {"status": "confirmed"}, "headers": {"If-Match": "*"}}
    async with http.patch(path, **then) as answer:
        seen.answered["PATCH orders"] += 1
        if answer.status != 200:
            seen.failed.append(f"PATCH orders: {answer.status} {await answer.text()}")


async def _keep(doing, pause: float, seen: Seen, enough: asyncio.Event) -> None:
    """Repeat the action to the end; a broken connection also counts as a failure."""
    while not enough.is_set():
        try:
            await doing()
        except aiohttp.ClientError as error:
            seen.failed.append(repr(error))
        await asyncio.sleep(pause)


async def _converse(movers: list[Mover], channel: str) -> None:
    for number in range(10_000):
        for who, mover in enumerate(movers):
            await mover.send(channel, f"{who}-{number}", f"text {number}")
        await asyncio.sleep(0.25)


@pytest.fixture
async def channel(platform) -> str:
    async with by_hand(platform.databases["chat"]) as db:
        return await open_between(db)


@pytest.mark.timeout(600)  # thirty starts of a service, whatever else the machine does
async def test_restarting_every_replica_in_turn_fails_no_request_and_loses_no_message(
    platform, channel
):
    seen, enough = Seen(), asyncio.Event()
    paths = sorted({open_path(r.service.name) for r in platform.replicas if r.service.public})
    admin = platform.issuer.authorized(*MAY, subject=ALICE, role=Role.ADMIN)
    pause = len(paths) * 2 / REQUESTS_PER_SECOND
    movers = [
        Mover(
            [platform.url],
            platform.issuer.authorized(subject=user, role=Role.CUSTOMER),
            [channel],
            path="/api/chats/v1/ws",
        )
        for user in (CUSTOMER, PROVIDER)
    ]
    async with aiohttp.ClientSession(platform.url, headers=admin) as http:
        change = {"json": {"stock": 100_000}, "headers": {"If-Match": "*"}}
        async with http.patch(f"/api/products/v1/products/{HAMMER}", **change) as answer:
            assert answer.status == 200, await answer.text()
        async with asyncio.TaskGroup() as group:
            for path in paths * 2:
                read = partial(_read, http, path, seen)
                group.create_task(_keep(read, pause, seen, enough))
            group.create_task(_keep(partial(_order, http, seen), 0.1, seen, enough))
            talk = group.create_task(_converse(movers, channel))
            for replica in platform.restarted:
                await replica.stop()
                await replica.start()
            # How long the restarts took says nothing of how much was asked meanwhile.
            await eventually(lambda: min(seen.answered.values()) > 20, within=60)
            # An order that is under way is answered, and counted, before the stock is looked at.
            enough.set()
            talk.cancel()
        await eventually(lambda: all(mover.settled() for mover in movers))
        said = sorted({*movers[0].acked, *movers[1].acked})
        await eventually(lambda: all(len(m.sequences(channel)) == len(said) for m in movers))
        sold = 100_000 - await _stock(http)
    for mover in movers:
        await mover.stop()
    print(
        f"{seen.answered.total()} requests, {len(platform.restarted)} restarts, "
        f"{len(seen.failed)} failed, {len(said)} messages over "
        f"{sum(mover.connections for mover in movers)} connections"
    )
    assert collections.Counter(seen.failed) == {}
    assert len(seen.answered) == len(paths) + 2
    assert sold == seen.answered["POST orders"]
    assert [mover.sequences(channel) for mover in movers] == [[*range(1, len(said) + 1)]] * 2
    assert all(mover.connections > 1 for mover in movers)


async def _stock(http: aiohttp.ClientSession) -> int:
    async with http.get(f"/api/products/v1/products/{HAMMER}") as answer:
        return int((await answer.json())["data"]["stock"])
