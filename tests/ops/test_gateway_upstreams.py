"""The selected replica and connection: an unavailable replica costs no response."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from contextlib import AsyncExitStack

import aiohttp
import pytest

from devstack.embedded.ports import free_port
from devstack.testing.wait import eventually
from tests.ops.gateways import ECHO, StandIn, gateway_before

# Of the connections that NGINX keeps for later, each of its processes has its own.
WORKERS = os.cpu_count() or 1


@pytest.fixture
def replicas() -> list[StandIn]:
    return [StandIn(free_port()), StandIn(free_port())]


async def test_connections_to_a_service_are_used_again(run_dir, replicas):
    replica = replicas[0]
    async with (
        replica.serving(),
        gateway_before(run_dir, [replica.port]) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url) as http,
    ):
        for _ in range(100):
            async with http.get(ECHO) as answer:
                assert answer.status == 200
    assert len(replica.asked) == 100
    assert len(replica.connections) <= WORKERS


async def test_a_replica_that_is_away_costs_no_answer_and_is_asked_again_when_it_is_back(
    run_dir, replicas
):
    first, second = replicas
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(first.serving())
        nginx = await stack.enter_async_context(gateway_before(run_dir, [r.port for r in replicas]))
        http = await stack.enter_async_context(aiohttp.ClientSession(nginx.settings.gateway_url))
        statuses: Counter[int] = Counter()

        async def ask(method: str = "GET") -> None:
            async with http.request(method, ECHO) as answer:
                statuses[answer.status] += 1

        for _ in range(30):
            await ask()
            await ask("POST")
        assert (statuses, second.asked) == (Counter({200: 60}), [])

        await stack.enter_async_context(second.serving())

        async def is_asked() -> bool:
            await ask()
            return bool(second.asked)

        await eventually(is_asked)
        assert set(statuses) == {200}


async def test_a_replica_that_ends_when_another_has_just_returned_leaves_that_one(
    run_dir, replicas
):
    first, second = replicas
    async with AsyncExitStack() as stack:
        nginx = await stack.enter_async_context(gateway_before(run_dir, [r.port for r in replicas]))
        http = await stack.enter_async_context(aiohttp.ClientSession(nginx.settings.gateway_url))

        async def statuses(count: int = 20) -> set[int]:
            found = set()
            for _ in range(count):
                async with http.get(ECHO) as answer:
                    found.add(answer.status)
            return found

        assert await statuses() == {502}  # both are taken for dead now
        for replica in (first, second, first):
            async with replica.serving():
                assert await statuses() == {200}


async def test_a_replica_whose_machine_has_vanished_delays_few_and_fails_nobody(run_dir, replicas):
    replica = replicas[0]
    # A socket whose queue is full: a connection is neither taken nor refused, as from a dead host.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as vanished:
        address = vanished.getsockname()
        queue = [socket.socket() for _ in range(4)]
        for filler in queue:
            filler.setblocking(False)
            filler.connect_ex(address)
        async with (
            replica.serving(),
            gateway_before(run_dir, [replica.port, address[1]]) as nginx,
            aiohttp.ClientSession(nginx.settings.gateway_url) as http,
        ):
            slow = 0
            for number in range(60):
                since = time.monotonic()
                async with http.request("POST" if number % 2 else "GET", ECHO) as answer:
                    assert answer.status == 200
                slow += time.monotonic() - since > 1
        for filler in queue:
            filler.close()
    assert slow <= 3 * WORKERS
    assert len(replica.asked) == 60


@pytest.mark.parametrize("keeps", [False, True], ids=["new connections", "kept connections"])
async def test_a_reload_under_load_fails_no_request(run_dir, replicas, keeps):
    async with AsyncExitStack() as stack:
        for replica in replicas:
            await stack.enter_async_context(replica.serving())
        nginx = await stack.enter_async_context(gateway_before(run_dir, [r.port for r in replicas]))
        failed: list[str] = []
        answered, enough = 0, asyncio.Event()

        async def ask(http: aiohttp.ClientSession) -> None:
            nonlocal answered
            while not enough.is_set():
                try:
                    async with http.post(ECHO, data=b"x" * 100) as answer:
                        await answer.read()
                        answered += 1
                        if answer.status != 200:
                            failed.append(str(answer.status))
                except aiohttp.ClientError as error:
                    failed.append(repr(error))

        async with (
            aiohttp.ClientSession(
                nginx.settings.gateway_url, connector=aiohttp.TCPConnector(force_close=not keeps)
            ) as http,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(8):
                group.create_task(ask(http))
            for _ in range(10):
                before = answered
                nginx.process.send_signal(signal.SIGHUP)
                await eventually(lambda before=before: answered > before + 50)
            enough.set()
    print(f"{answered} requests, 10 reloads, {len(failed)} failed")
    assert failed == []
