"""Processes of services that operational tests stop, restart and call."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from devstack.embedded import children
from devstack.embedded.ports import free_port
from devstack.program import Program
from devstack.programs import answers, service_program
from devstack.settings import PORTS, Service, Settings
from devstack.testing.wait import eventually

Fork = Callable[[Program], children.Child]


class Replica:
    """A process of a service that can be stopped as a deployment does, and started again."""

    def __init__(
        self, service: Service, settings: Settings, url: str, peers: Mapping[str, str], fork: Fork
    ) -> None:
        self.service = service
        program: Program = service_program(service, settings, {service.name: url})
        self.program = replace(program, env={**(program.env or {}), **peers})
        self._fork = fork
        self._process: children.Child | None = None
        self.said: deque[bytes] = deque(maxlen=30)

    async def start(self) -> None:
        self._process = self._fork(self.program)
        # What it says goes through a pipe: unread, it would wait there for us.
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        try:
            await eventually(answers(self.service.port, "/readyz"), within=60)
        except TimeoutError:
            raise AssertionError(
                f"{self.service.name} was not ready in time: {b''.join(self.said).decode()}"
            ) from None

    def _listen(self, process: children.Child) -> None:
        if process.stdout is not None:
            with process.stdout as pipe:
                self.said.extend(pipe)

    async def stop(self) -> None:
        """Stop it as `docker stop` does: with SIGTERM, after which it must end by itself."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self._process.wait, 30)


def settings(run_dir: Path, redis_url: str, public_url: str, gateway_port: str) -> Settings:
    """Give every service a free port, and disable the limits."""
    ports = {name: str(free_port()) for name in PORTS}
    known = {
        **os.environ,
        "RUN_DIR": str(run_dir),
        "REDIS_URL": redis_url,
        "LOG_LEVEL": "error",
        "PUBLIC_URL": public_url,
        "GATEWAY_PORT": gateway_port,
        "RATE_LIMIT": "1e9",
        "RATE_LIMIT_BURST": "1000000",
        "USER_RATE_LIMIT": "1000000",
        "CHAT_FRAME_RATE": "1e9",
        "CHAT_FRAME_BURST": "1000000",
    }
    return Settings.read({**known, **ports})
