"""The profiling port: open to tools on this machine, closed to everyone else."""

from __future__ import annotations

import asyncio
import marshal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest

from lib.errors import StartError
from lib.profiling import profiling

KEPT: list[bytes] = []


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with profiling(0) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session


async def burn_cpu() -> None:
    while True:
        until = time.perf_counter() + 0.005
        while time.perf_counter() < until:
            sum(range(200))
        await asyncio.sleep(0)


async def allocate_much() -> None:
    while True:
        KEPT.append(b"x" * 100_000)
        await asyncio.sleep(0.01)


@pytest.fixture
async def busy() -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work()) for work in (burn_cpu, allocate_much)]
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    KEPT.clear()


async def test_a_speedscope_profile_names_what_burns_the_cpu(
    http: aiohttp.ClientSession, busy: None
) -> None:
    async with http.get("/debug/cpu?seconds=0.3") as answer:
        profile = await answer.json()
    assert profile["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert any(frame["name"] == "burn_cpu" for frame in profile["shared"]["frames"])
    assert profile["profiles"][0]["events"]


async def test_a_pstats_profile_can_be_loaded(http: aiohttp.ClientSession, busy: None) -> None:
    async with http.get("/debug/cpu?seconds=0.3&format=pstats") as answer:
        stats = marshal.loads(await answer.read())
    assert any(name == "burn_cpu" for _, _, name in stats)


async def test_the_heap_shows_who_keeps_memory(http: aiohttp.ClientSession, busy: None) -> None:
    async with http.get("/debug/heap?seconds=0.3&top=5") as answer:
        heap = (await answer.json())["data"]
    most = heap["allocations"][0]
    assert most["size_difference"] > 100_000
    assert any(__file__ in place for place in most["trace"])


async def test_stacks_show_threads_and_tasks(http: aiohttp.ClientSession, busy: None) -> None:
    async with http.get("/debug/stacks") as answer:
        text = await answer.text()
    assert "thread MainThread" in text
    assert "allocate_much" in text


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "https://evil.example"}],
    ids=repr,
)
async def test_a_browser_led_here_is_refused(
    http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with http.get("/debug/stacks", headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("seconds", ["0", "-1", "61", "nan", "inf", "x"])
async def test_a_senseless_duration_is_refused(http: aiohttp.ClientSession, seconds: str) -> None:
    for path in ("/debug/cpu", "/debug/heap"):
        async with http.get(path, params={"seconds": seconds}) as answer:
            assert answer.status == 400


async def test_one_profile_at_a_time(http: aiohttp.ClientSession) -> None:
    async def status(path: str) -> int:
        async with http.get(path) as answer:
            return answer.status

    for path in ("/debug/cpu?seconds=0.2", "/debug/heap?seconds=0.2"):
        assert sorted(await asyncio.gather(status(path), status(path))) == [200, 409]


async def test_it_listens_on_the_loopback_only(http: aiohttp.ClientSession) -> None:
    async with profiling(0) as port:
        others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port)}
        for address in others - {"127.0.0.1", "::1"}:
            with pytest.raises(OSError):
                await asyncio.open_connection(address, port)


async def test_it_is_off_unless_asked_for() -> None:
    async with profiling(None) as port:
        assert port is None


async def test_a_taken_port_is_said_in_one_sentence() -> None:
    async with profiling(0) as port:
        with pytest.raises(StartError, match="cannot listen on the profiling port"):
            async with profiling(port):
                pass
