"""Two replicas of every service behind the real NGINX: restarted in turn, nobody notices."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yaml

from lib.embedded import children
from lib.embedded.ports import free_port
from lib.testing.wait import eventually
from services._stack import gateway
from services._stack.part import Part
from services._stack.parts import answers, service_part
from services._stack.settings import PORTS, ROOT, Service, Settings

REPLICAS = 2
# Below what the gateway lets one address ask for: 500 a second.
REQUESTS_PER_SECOND = 300


class Replica:
    """One process of a service that can be stopped as a deployment does, and started again."""

    def __init__(self, service: Service, settings: Settings, url: str) -> None:
        self.service = service
        self.part: Part = service_part(service, settings, {service.name: url})
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._process = children.spawn(self.part.command, log=subprocess.DEVNULL, env=self.part.env)
        await eventually(answers(self.service.port, "/readyz"), within=60)

    async def stop(self) -> None:
        """End it as `docker stop` does: SIGTERM, and it must end by itself."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self._process.wait, 30)


def _settings(run_dir: Path, redis_url: str) -> Settings:
    ports = {name: str(free_port()) for name in (*PORTS, "GATEWAY_PORT")}
    known = {**os.environ, "RUN_DIR": str(run_dir), "REDIS_URL": redis_url, "LOG_LEVEL": "error"}
    return Settings.read(
        {
            **known,
            **ports,
            "RATE_LIMIT": "1e9",
            "RATE_LIMIT_BURST": "1000000",
            "USER_RATE_LIMIT": "1000000",
        }
    )


def _path(service: Service) -> str:
    """A path of the service that needs no parameters; that it may ask for a login is no failure."""
    document = yaml.safe_load((ROOT / f"api/swagger/{service.name}.swagger.yaml").read_text())
    plain = [p for p, methods in document["paths"].items() if "get" in methods and "{" not in p]
    return document["basePath"] + plain[0]


@pytest.fixture
async def replicas(new_database, run_dir, redis_url) -> AsyncIterator[tuple[str, list[Replica]]]:
    """The address of a gateway, and two replicas of each service with an API behind it."""
    copies = [_settings(run_dir, redis_url) for _ in range(REPLICAS)]
    public = [service.name for service in copies[0].services if service.public]
    urls = {name: await new_database(name, demo=True) for name in public}
    found = [
        Replica(service, copy, urls[service.name])
        for copy in copies
        for service in copy.services
        if service.public
    ]
    try:
        await asyncio.gather(*(replica.start() for replica in found))
        front = copies[0]
        addresses = {
            name: [f"127.0.0.1:{r.service.port}" for r in found if r.service.name == name]
            for name in public
        }
        place = gateway.Place(listen=f"127.0.0.1:{front.gateway_port}", addresses=addresses)
        account, config = gateway.prepare(front)
        config.write_text(gateway.render(front, config.parent, place=place))
        nginx = children.spawn(gateway.command(config), log=subprocess.DEVNULL, account=account)
        try:
            await eventually(answers(front.gateway_port, "/healthz"), within=10)
            yield f"http://127.0.0.1:{front.gateway_port}", found
        finally:
            children.stop(nginx, by=signal.SIGTERM, within=10)
    finally:
        await asyncio.gather(*(replica.stop() for replica in found))


@pytest.mark.slow
async def test_restarting_every_replica_in_turn_fails_no_request(replicas):
    url, found = replicas
    paths = sorted({_path(replica.service) for replica in found})
    answered: dict[str, int] = dict.fromkeys(paths, 0)
    failed: list[str] = []
    asked = paths * 2
    pause = len(asked) / REQUESTS_PER_SECOND

    async def ask(path: str) -> None:
        async with aiohttp.ClientSession(url) as session:
            while True:
                try:
                    async with session.get(path) as answer:
                        await answer.read()
                        answered[path] += 1
                        if answer.status >= 500 or answer.status == 429:
                            failed.append(f"{path}: {answer.status}")
                except aiohttp.ClientError as error:
                    failed.append(f"{path}: {error!r}")
                await asyncio.sleep(pause)

    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(ask(path)) for path in asked]
        for replica in found:
            await replica.stop()
            await replica.start()
        for client in clients:
            client.cancel()
    print(f"{sum(answered.values())} requests, {len(found)} restarts, {len(failed)} failed")
    assert failed == []
    assert min(answered.values()) > 50
