"""The life of a real process: start, drain, stop, and its messages if it cannot start."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from devstack.testing.wait import eventually

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import asyncio, sys
from pathlib import Path
from aiohttp import web
from lib import process
from lib.config import Port, Settings
from lib.http import respond
from lib.http.app import new_app
from lib.http.server import serve_app

class Config(Settings):
    port: Port = 0

async def slow(request):
    while not Path(request.query["until"]).exists():
        await asyncio.sleep(0.02)
    return respond.ok("done")

def components(config):
    return [serve_app(new_app("shop", config, [web.get("/slow", slow)]), config, port=config.port)]

sys.exit(process.run("shop", Config, components))
"""


class Process:
    """The program above, its port and its output."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode())

    async def port(self) -> int:
        await eventually(lambda: any('"started"' in line for line in self.lines))
        (line,) = [line for line in self.lines if '"listening"' in line]
        return int(line.rpartition('"port":')[2].partition(",")[0].rstrip("}\n"))

    async def ended(self) -> int:
        async with asyncio.timeout(60):
            code = await self.process.wait()
            await self._reader
        return code


@pytest.fixture
async def start():
    started: list[Process] = []

    async def run(**environ: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM,
            cwd=ROOT,
            env={**os.environ, **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        started.append(Process(process))
        return started[-1]

    yield run
    for one in started:
        if one.process.returncode is None:
            one.process.kill()
            await one.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_running_request_is_finished_before_the_process_ends(
    start, number, tmp_path
) -> None:
    shop = await start()
    port = await shop.port()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        answer = asyncio.create_task(session.get(f"/slow?until={tmp_path}/now"))
        await eventually(lambda: _in_progress(session))
        shop.process.send_signal(number)
        await eventually(lambda: any('"draining"' in line for line in shop.lines))
        (tmp_path / "now").touch()
        response = await answer
        assert (response.status, (await response.json())["data"]) == (200, "done")
    assert await shop.ended() == 0


async def _in_progress(session: aiohttp.ClientSession) -> bool:
    async with session.get("/metrics") as response:
        # This question is in progress, too.
        return "http_requests_in_progress 2.0" in await response.text()


async def test_a_request_over_the_drain_limit_is_cut_off(start) -> None:
    shop = await start(DRAIN_SECONDS="0.3")
    port = await shop.port()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        answer = asyncio.create_task(session.get("/slow?until=/never"))
        await eventually(lambda: _in_progress(session))
        shop.process.send_signal(signal.SIGTERM)
        with pytest.raises(aiohttp.ClientError):
            await answer
    assert await shop.ended() == 0


async def test_a_port_in_use_is_one_sentence_and_exit_1(start) -> None:
    port = await (await start()).port()
    second = await start(PORT=str(port))
    assert await second.ended() == 1
    assert any(f"port {port} on 127.0.0.1 is in use" in line for line in second.lines)
    assert not any("Traceback" in line for line in second.lines)


async def test_a_wrong_configuration_is_all_in_one_message_and_exit_2(start) -> None:
    shop = await start(PORT="high", LOG_LEVEL="loud")
    assert await shop.ended() == 2
    text = "".join(shop.lines)
    assert "PORT: " in text
    assert "LOG_LEVEL: " in text
    assert "Traceback" not in text


async def test_the_profiling_port_answers_on_the_loopback_where_it_is_asked_for(start) -> None:
    shop = await start(PROFILING_PORT="0", HOST="0.0.0.0")
    await shop.port()
    (line,) = [line for line in shop.lines if '"profiling_enabled"' in line]
    address = urlsplit(json.loads(line)["address"])
    assert address.hostname == "127.0.0.1"
    base = f"http://127.0.0.1:{address.port}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/debug/stacks") as answer:
            assert (answer.status, "thread MainThread" in await answer.text()) == (200, True)
        async with session.get(f"{base}/debug/cpu?seconds=0.1") as answer:
            assert (await answer.json(content_type=None))["profiles"]
        named = {"Host": "shop.example"}
        async with session.get(f"{base}/debug/stacks", headers=named) as answer:
            assert answer.status == 403
    # 127.0.0.2 is this machine, too, but not what the port is bound to.
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", address.port)
    shop.process.send_signal(signal.SIGTERM)
    assert await shop.ended() == 0


async def test_without_a_profiling_port_there_is_none_and_one_in_use_is_one_sentence(start) -> None:
    shop = await start()
    port = await shop.port()
    assert not any("profiling" in line for line in shop.lines)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/debug/stacks") as answer,
    ):
        assert answer.status == 404
    second = await start(PROFILING_PORT=str(port))
    assert await second.ended() == 1
    assert any(f"cannot listen on the profiling port {port}" in line for line in second.lines)
    assert not any("Traceback" in line for line in second.lines)
