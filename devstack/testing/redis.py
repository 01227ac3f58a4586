"""A temporary Redis that stores nothing on disk."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.embedded.ports import free_pair, free_port
from devstack.embedded.redis import Instance, accepts, command, prepare
from devstack.testing import containers
from devstack.testing.components import program
from devstack.testing.killable import Killable, folder, until

BUS = 10_000  # nodes of a cluster talk to one another that much above their port


class TestRedis(Killable):
    """A server for one test; the test can `kill()` it and `start()` it again."""

    def __init__(
        self,
        instance: Instance,
        *,
        lines: str = "",
        sentinel: bool = False,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        """Write the configuration, with the additional `lines`; a Sentinel needs no password.

        With `tls`, a certificate and its key, the server accepts only TLS. Debian's server supports
        TLS, but the server from the wheel does not.
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

    @property
    def url(self) -> str:
        """Return the connection URL, which a restart does not change."""
        return self._instance.url

    @property
    def port(self) -> int:
        """Return the port of the server."""
        return self._instance.port

    def start(self) -> None:
        """Start the server empty on the same port; return when it responds."""
        line = [*command(self._config), *self._options]
        if self._tls is not None:
            line[0] = program("redis-server")
        self._spawn(line)
        try:
            until(lambda: accepts(self._instance, self._tls and self._tls[0]), "a Redis")
        except RuntimeError:
            self.kill()
            raise


@contextmanager
def running(*, cluster: bool = False) -> Iterator[TestRedis]:
    """Run a server, or a node of a cluster, in a temporary directory."""
    port = free_pair(BUS) if cluster else free_port()
    lines = "cluster-enabled yes\n" if cluster else ""
    with folder("redis") as home:
        server = TestRedis(Instance(home, port, secrets.token_urlsafe(16)), lines=lines)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def shared() -> Iterator[TestRedis | Instance]:
    """Run the server that all tests share, embedded or in a container; it has a `url`."""
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
