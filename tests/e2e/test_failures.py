"""`kill -9` of any program under a light load: error or degraded responses, then recovery."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from typing import Self

import aiohttp
import pytest

from codegen.tests.sampling import sample
from devstack.settings import service_names
from devstack.testing.wait import eventually

PATHS = ("/api/users/v1/users", "/api/departments/v1/departments")
# The services' own deadline for a request is 10 s; nothing may take longer than that and a stall.
LONGEST_SECONDS = 20.0
RECOVERY_SECONDS = 120.0


class Load:
    """A few clients that send requests continuously, and the responses."""

    def __init__(self, stack) -> None:
        self._base = stack.url
        self._headers = stack.authorized()
        self.answers: list[tuple[str, int, dict]] = []  # path, status, body
        self.refused = 0
        self.slowest = 0.0
        self._tasks: list[asyncio.Task] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._ask(path)) for path in PATHS * 2]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    def of(self, path: str) -> list[tuple[int, dict]]:
        return [(status, body) for asked, status, body in self.answers if asked == path]

    async def _ask(self, path: str) -> None:
        timeout = aiohttp.ClientTimeout(total=LONGEST_SECONDS + 5)
        async with aiohttp.ClientSession(
            self._base, timeout=timeout, headers=self._headers
        ) as session:
            while True:
                began = time.monotonic()
                try:
                    async with session.get(path) as answer:
                        self.answers.append((path, answer.status, json.loads(await answer.read())))
                # Only the gateway's own end may do this, also amid an answer.
                except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
                    self.refused += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("part", sample(2, ["redis", "nginx", "postgres", "point"]))
async def test_killing_a_part_is_survived_without_a_restart_of_the_others(stack, part):
    before = {name: stack.pid(name) for name in service_names() if name != part}
    killed = stack.pid(part)
    async with Load(stack) as load:
        await eventually(lambda: len(load.answers) > 20)
        assert {status for _, status, _ in load.answers} == {200}
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: stack.pid(part) != killed, within=RECOVERY_SECONDS)
        load.answers, during = [], load.answers
        await eventually(
            lambda: all(_well(load.of(path)) for path in PATHS), within=RECOVERY_SECONDS
        )
        during += load.answers
    for _, status, body in during:
        assert body["success"] is (status == 200)
        if status != 200:
            assert status in (502, 503, 504), body
            assert body["error"]["request_id"]
    assert load.slowest < LONGEST_SECONDS
    assert load.refused == 0 or part == "nginx"
    assert {name: stack.pid(name) for name in before} == before


def _well(answers: list[tuple[int, dict]]) -> bool:
    """Return whether the last five responses are complete: all are 200, and none is degraded."""
    last = answers[-5:]
    return len(last) == 5 and all(
        status == 200 and not body.get("meta", {}).get("degraded") for status, body in last
    )
