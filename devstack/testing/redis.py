"""A throw-away Redis that keeps nothing on disk."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.embedded import children
from devstack.embedded.ports import free_port
from devstack.embedded.redis import Instance, accepts, command, prepare
from devstack.testing import containers

START_SECONDS = 10.0


class TestRedis:
    """A server of one's own; `kill()` and `start()` are there for tests of what happens then."""

    __test__ = False

    def __init__(self, instance: Instance, *, cluster: bool = False) -> None:
        self._instance = instance
        self._config = prepare(instance, durable=False)
        if cluster:
            with self._config.open("a") as config:
                config.write("cluster-enabled yes\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The connection URL, the same before and after a restart."""
        return self._instance.url

    def start(self) -> None:
        """Start it on the same port, empty; returns when it answers."""
        self._process = children.spawn(command(self._config), log=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not accepts(self._instance):
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError("Redis did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running(*, cluster: bool = False) -> Iterator[TestRedis]:
    """Run a server, or a node of a cluster, in a directory that is removed with it."""
    home = Path(tempfile.mkdtemp(prefix="test-redis-"))
    server = TestRedis(Instance(home, free_port(), secrets.token_urlsafe(16)), cluster=cluster)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def shared() -> Iterator[TestRedis | Instance]:
    """Run the server that tests share, embedded or in a container; it has a `url`."""
    if not containers.wanted():
        with running() as server:
            yield server
        return
    password = containers.new_password()
    with containers.running(
        "REDIS_IMAGE", 6379,
        environ={}, command=["redis-server", "--save", "", "--requirepass", password],
    ) as port:  # fmt: skip
        instance = Instance(Path(), port, password)
        containers.until(lambda: accepts(instance), "Redis")
        yield instance
