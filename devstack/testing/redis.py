"""A throw-away Redis that keeps nothing on disk."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from devstack.embedded import children
from devstack.embedded.ports import free_pair, free_port
from devstack.embedded.redis import Instance, accepts, command, prepare
from devstack.testing import containers
from devstack.testing.components import program

START_SECONDS = 10.0
BUS = 10_000  # nodes of a cluster talk to one another that much above their port
# A child ends with the thread that started it, and those of `asyncio.to_thread` end with a test.
_SPAWNER = ThreadPoolExecutor(max_workers=1)


class TestRedis:
    """A server of one's own; `kill()` and `start()` are there for tests of what happens then."""

    __test__ = False

    def __init__(
        self,
        instance: Instance,
        *,
        lines: str = "",
        sentinel: bool = False,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        """Write its configuration, with `lines` of one's own; a Sentinel asks for no password.

        With `tls`, a certificate and its key, nobody is spoken to without: that is what Debian's
        server can do and the wheel's cannot.
        """
        self._instance, self._tls = instance, tls
        self._config = prepare(instance, durable=False)
        if sentinel:
            self._config.write_text(f"bind 127.0.0.1\nport {instance.port}\ndir {instance.data}\n")
        if tls is not None:
            lines += (
                f"port 0\ntls-port {instance.port}\ntls-cert-file {tls[0]}\ntls-key-file {tls[1]}\n"
                f"tls-ca-cert-file {tls[0]}\ntls-auth-clients no\ntls-replication yes\n"
                f"tls-cluster {'no' if sentinel else 'yes'}\n"
            )
        with self._config.open("a") as config:
            config.write(lines)
        self._options = ["--sentinel"] if sentinel else []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The connection URL, the same before and after a restart."""
        return self._instance.url

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._instance.port

    @property
    def is_running(self) -> bool:
        """Whether it was started and not killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start it on the same port, empty; returns when it answers."""
        line = [*command(self._config), *self._options]
        if self._tls is not None:
            line[0] = program("redis-server")
        self._process = _SPAWNER.submit(children.spawn, line, log=subprocess.DEVNULL).result()
        deadline = time.monotonic() + START_SECONDS
        while not accepts(self._instance, self._tls and self._tls[0]):
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
    def frozen(self) -> Iterator[None]:
        """Let it hang, its connections open, while the block runs."""
        assert self._process is not None  # noqa: S101 - only a running server can hang
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def running(*, cluster: bool = False) -> Iterator[TestRedis]:
    """Run a server, or a node of a cluster, in a directory that is removed with it."""
    home = Path(tempfile.mkdtemp(prefix="test-redis-"))
    lines = "cluster-enabled yes\n" if cluster else ""
    server = TestRedis(
        Instance(home, free_pair(BUS) if cluster else free_port(), secrets.token_urlsafe(16)),
        lines=lines,
    )
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
