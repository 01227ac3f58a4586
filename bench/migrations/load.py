"""Requests at a fixed rate, whether or not earlier ones were answered, as visitors send them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import aiohttp

PATH: Final = "/api/v1/departments"
_WAITS: Final = 0.5  # seconds after which a request counts as one that waited
_GIVES_UP: Final = 10.0  # seconds after which a visitor leaves


@dataclass
class Seen:
    """The seconds of each request, and how many failed."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def waited(self) -> int:
        """Return how many requests took longer than half a second."""
        return sum(one > _WAITS for one in self.seconds)

    @property
    def p99(self) -> float:
        """Return the 99th percentile in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[int(len(ordered) * 0.99)] * 1000 if ordered else 0.0


class Visitors:
    """Three of four requests read a department, and one adds a department."""

    def __init__(
        self, port: int, ids: Sequence[str], headers: Mapping[str, str], rate: float
    ) -> None:
        self._url, self._ids, self._headers = f"http://127.0.0.1:{port}{PATH}", ids, headers
        self._pause = 1 / rate
        self._number = 0

    async def until(self, end: asyncio.Event) -> Seen:
        """Send requests until an event is set, and wait for all answers."""
        seen, tasks = Seen(), set[asyncio.Task[None]]()
        timeout = aiohttp.ClientTimeout(total=_GIVES_UP)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            due = perf_counter()
            while not end.is_set():
                tasks.add(asyncio.create_task(self._one(session, seen)))
                due += self._pause
                await asyncio.sleep(max(0.0, due - perf_counter()))
            await asyncio.gather(*tasks)
        return seen

    async def _one(self, session: aiohttp.ClientSession, seen: Seen) -> None:
        self._number += 1
        began = perf_counter()
        try:
            if self._number % 4:
                url = f"{self._url}/{self._ids[self._number % len(self._ids)]}"
                async with session.get(url) as answer:
                    seen.failed += answer.status != 200
            else:
                body = {"name": f"Department {secrets.token_hex(8)}", "address": "1 Mill Lane"}
                async with session.post(self._url, json=body, headers=self._headers) as answer:
                    seen.failed += answer.status != 201
        except (aiohttp.ClientError, TimeoutError):
            seen.failed += 1
        seen.seconds.append(perf_counter() - began)
