"""Temporary NATS servers with JetStream: one server, or a cluster of three."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import msgspec

from devstack.embedded.ports import free_port
from devstack.testing.components import program
from devstack.testing.killable import Killable, folder, until

_USER: Final = "events"
# Quoted: a word that begins with a digit is taken for a number.
_ACCOUNTS: Final = (
    "accounts { app: { jetstream: enabled, users: [{ user: %s, password: '%s' }] } }\n"
)


class _Health(msgspec.Struct):
    status: str = ""


class _Replica(msgspec.Struct):
    current: bool = False


class _Group(msgspec.Struct):
    leader: str = ""
    replicas: list[_Replica] = []


class _Stream(msgspec.Struct):
    name: str
    cluster: _Group = msgspec.field(default_factory=_Group)


class _Account(msgspec.Struct):
    stream_detail: list[_Stream] = []


class _JetStream(msgspec.Struct):
    account_details: list[_Account] = []


class TestNats(Killable):
    """A server for one test; the test can `kill()` it and `start()` it again."""

    def __init__(
        self, home: Path, password: str, *, lines: str = "", name: str = "one",
        accounts: bool = True,
    ) -> None:  # fmt: skip
        """Write the configuration, with additional `lines`, which may define accounts."""
        self._binary, self._home, self._name = program("nats-server"), home / name, name
        self._home.mkdir(mode=0o700)
        self.port, self._monitor, self.password = free_port(), free_port(), password
        self._config = self._home / "nats.conf"
        self._config.write_text(
            f"server_name: {name}\nhost: 127.0.0.1\nport: {self.port}\n"
            f"http: 127.0.0.1:{self._monitor}\n"
            f"jetstream {{ store_dir: {self._home}, max_mem: 64M, max_file: 1G }}\n"
            f"{_ACCOUNTS % (_USER, password) if accounts else ''}{lines}"
        )
        self._config.chmod(0o600)

    @property
    def url(self) -> str:
        """Return the connection URL, which a restart does not change."""
        return f"nats://{_USER}:{self.password}@127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Start the server with the same port and data."""
        line = [self._binary, "--config", str(self._config)]
        with (self._home / "log").open("ab") as log:
            self._spawn(line, log)

    def start(self) -> None:
        """Start the server; return when it accepts events."""
        self.launch()
        try:
            until(self.is_ready, "a NATS server")
        except RuntimeError as error:
            error.add_note(self.last_words())
            raise

    def is_ready(self) -> bool:
        """Return whether the server runs and knows the leader."""
        # Not of all its parts: 2.9 calls a reader's state, whose copy came late, ill for minutes.
        said = self._ask("healthz?js-server-only=true")
        return msgspec.json.decode(said, type=_Health).status == "ok"

    def streams(self) -> dict[str, bool | None]:
        """Return each stream with whether all its copies are up to date if this server leads it."""
        found = msgspec.json.decode(self._ask("jsz?accounts=true&streams=true"), type=_JetStream)
        return {
            stream.name: all(replica.current for replica in stream.cluster.replicas)
            if stream.cluster.leader == self._name
            else None
            for account in found.account_details
            for stream in account.stream_detail
        }

    def _ask(self, what: str) -> bytes:
        asked = HTTPConnection("127.0.0.1", self._monitor, timeout=1)
        try:
            asked.request("GET", f"/{what}")
            return asked.getresponse().read()
        finally:
            asked.close()

    def last_words(self) -> str:
        """Return the end of the server's log, with only the last health message."""
        lines = [f"{self._name}: {self._process}", *(self._home / "log").read_text().splitlines()]
        healths = [line for line in lines if "Healthcheck" in line]
        rest = [line for line in lines if "Healthcheck" not in line]
        return "\n".join([*rest[:1], *rest[1:][-30:], *healths[-1:]])


class TestNatsCluster:
    """Three servers, each with a copy of every stream."""

    __test__ = False

    def __init__(self, home: Path) -> None:
        password, routes = secrets.token_urlsafe(16), [free_port() for _ in range(3)]
        known = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
        self.servers: Sequence[TestNats] = [
            TestNats(
                home, password, name=f"node{at}",
                lines=f"cluster {{ name: tests, listen: 127.0.0.1:{port}, routes: [{known}] }}\n",
            )
            for at, port in enumerate(routes)
        ]  # fmt: skip

    @property
    def url(self) -> str:
        """Return the connection URL, which names all servers."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        return f"nats://{_USER}:{self.servers[0].password}@{hosts}?replicas=3"

    def form(self) -> None:
        """Start all servers."""
        for server in self.servers:
            server.launch()
        self.wait_whole()

    def wait_whole(self) -> None:
        """Start killed servers; wait until each server runs and has the data of the others."""
        for server in self.servers:
            if not server.is_running:
                server.launch()
        try:
            until(self._is_whole, "a whole NATS cluster")
        except RuntimeError as error:
            for server in self.servers:
                error.add_note(server.last_words())
            raise

    def _is_whole(self) -> bool:
        if not all(server.is_ready() for server in self.servers):
            return False
        found = [server.streams() for server in self.servers]
        return all(any(one.get(name) for one in found) for name in set().union(*found))

    def stop(self) -> None:
        """Stop all servers."""
        for server in self.servers:
            server.kill()


@contextmanager
def running(*, lines: str = "", accounts: bool = True) -> Iterator[TestNats]:
    """Run a server in a temporary folder. Without a server, skip the test; in CI, fail."""
    with folder("nats") as home:
        server = TestNats(home, secrets.token_urlsafe(16), lines=lines, accounts=accounts)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def cluster() -> Iterator[TestNatsCluster]:
    """Run three servers in a temporary folder."""
    with folder("nats") as home:
        group = TestNatsCluster(home)
        try:
            group.form()
            yield group
        finally:
            group.stop()
