"""Replicas of the chat service in their own processes, and a client that moves between them."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp

from devstack.embedded.ports import free_port
from devstack.testing.auth import TestIssuer
from devstack.testing.roles import as_service
from devstack.testing.wait import eventually
from services.chat.model.closing import Close
from tests.conftest import ROOT
from tests.services.chat.talking import Talker

# How long who was cut off for sending too much stays away.
FLOOD_SECONDS = 1.0


class Replica:
    """`python -m services.chat` on its own port."""

    def __init__(self, log: Path, database_url: str, redis_url: str, issuer: TestIssuer) -> None:
        self.port = free_port()
        self._log = log
        environ = {
            **os.environ,
            "CHAT_DATABASE_URL": as_service(database_url),
            "CHAT_PORT": str(self.port),
            "CHAT_DB_POOL_MIN": "1",
            "CHAT_FRAME_RATE": "100000",
            "CHAT_FRAME_BURST": "100000",
            "RATE_LIMIT_BURST": "100000",
            "USER_RATE_LIMIT": "100000",
            "REDIS_URL": redis_url,
            "AUTH_JWKS_URL": issuer.url,
            "DRAIN_SECONDS": "5",
            "PYTHONUNBUFFERED": "1",
        }
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.chat"],
                cwd=ROOT,
                env=environ,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ready(self) -> None:
        async def answers() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(self.log)
            with suppress(OSError, aiohttp.ClientError, TimeoutError):
                return "ready" in await self.get("readyz")
            return False

        await eventually(answers, within=60)

    async def get(self, path: str) -> str:
        limit = aiohttp.ClientTimeout(total=2)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(f"{self.url}/{path}", raise_for_status=True) as answer,
        ):
            return await answer.text()

    def end(self, by: signal.Signals) -> None:
        self.process.send_signal(by)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")


@contextmanager
def replicas(count: int, folder: Path, *given) -> Iterator[list[Replica]]:
    """Run some replicas; kill the remaining ones at the end."""
    started: list[Replica] = []
    try:
        started.extend(Replica(folder / f"chat-{number}.log", *given) for number in range(count))
        yield started
    finally:
        for one in started:
            one.process.kill()
            one.process.wait()


class Mover:
    """A user's client: if a replica ends, it connects to the next one, resumes and sends again."""

    def __init__(
        self,
        urls: Sequence[str],
        headers: dict[str, str],
        channels: Sequence[str],
        start: int = 0,
        *,
        path: str = "/api/v1/ws",
    ) -> None:
        self._urls = itertools.cycle([*urls[start:], *urls[:start]])
        self._headers = headers
        self._path = path
        self._unsent: dict[str, tuple[str, str]] = {}
        self.had: dict[str, list[tuple[int, str]]] = {channel: [] for channel in channels}
        self.acked: dict[str, tuple[str, int]] = {}
        self.connections = 0
        self.codes: list[int] = []
        self._talker: Talker | None = None
        self._seen = 0
        self._refused: list[str] = []
        self._task = asyncio.create_task(self._run())

    async def send(self, channel: str, client_id: str, text: str) -> None:
        """Send a message until it is acknowledged, over any number of connections."""
        self._unsent[client_id] = (channel, text)
        talker = self._talker
        if talker is not None:
            with suppress(ConnectionError, aiohttp.ClientError):
                await talker.send(channel, text, client_id)

    def settled(self) -> bool:
        self._take()
        return not self._unsent

    def sequences(self, channel: str) -> list[int]:
        self._take()
        return [sequence for sequence, _ in self.had[channel]]

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                with suppress(OSError, aiohttp.ClientError, TimeoutError):
                    url = next(self._urls) + self._path
                    async with asyncio.timeout(30):
                        ws = await session.ws_connect(url, headers=self._headers)
                    await self._talk(Talker(ws))
                # Back at once, the frame that resumes would take all that is allowed by then.
                flooded = self.codes[-1:] == [Close.FLOOD]
                await asyncio.sleep(FLOOD_SECONDS if flooded else 0.05)

    async def _talk(self, talker: Talker) -> None:
        try:
            self._seen = 0
            await talker.tell(
                "resume",
                channels={channel: had[-1][0] if had else 0 for channel, had in self.had.items()},
            )
            self._talker = talker  # what is sent from now on goes over this one
            for client_id, (channel, text) in list(self._unsent.items()):
                await talker.send(channel, text, client_id)
            self.connections += 1
            while not talker.reading.done():
                self._take()
                refused, self._refused = self._refused, []
                for client_id in {*refused} & {*self._unsent}:  # it had no effect
                    await talker.send(*self._unsent[client_id], client_id)
                await asyncio.wait((talker.reading,), timeout=0.05)
        finally:
            self._take()
            self._talker = None
            self.codes.append(talker.ws.close_code or 0)
            talker.reading.cancel()
            await talker.ws.close()

    def _take(self) -> None:
        talker = self._talker
        if talker is None:
            return
        while self._seen < len(talker.frames):
            frame = talker.frames[self._seen]
            self._seen += 1
            if frame["type"] == "message":
                self.had[frame["channel_id"]].append((frame["sequence"], frame["client_id"]))
            elif frame["type"] == "error" and frame.get("client_id") in self._unsent:
                self._refused.append(frame["client_id"])
            elif frame["type"] == "ack":
                self.acked[frame["client_id"]] = (frame["channel_id"], frame["sequence"])
                self._unsent.pop(frame["client_id"], None)
