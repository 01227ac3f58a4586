"""Temporary groups of Redis servers: a Cluster, or a primary with replicas and Sentinels."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from redis import Redis
from redis.exceptions import RedisError

from devstack.embedded.ports import free_pair, free_port
from devstack.embedded.redis import Instance
from devstack.testing.certificates import self_signed
from devstack.testing.killable import folder, until
from devstack.testing.redis import BUS, TestRedis

SLOTS: Final = 16384
# How long a node may be silent before the others replace it.
_SILENT_MS: Final = 1000
# How long the relay has for the entry that a replica is to lack.
_ENTRY_SECONDS: Final = 3.0
_CUTS: Final = 5
# A replica gets its copy at once, over the wire.
_FRESH: Final = "repl-diskless-sync yes\nrepl-diskless-sync-delay 0\n"


class Group:
    """Servers with a shared password and a common folder. A test can kill each server.

    With `tls`, clients, servers and Sentinels connect only with TLS.
    """

    def __init__(self, home: Path, *, tls: bool = False) -> None:
        self.password = secrets.token_urlsafe(16)
        self.servers: list[TestRedis] = []
        self._home = home
        self._tls = self_signed(home, "127.0.0.1") if tls else None
        self._secured: dict[str, Any] = (
            {"ssl": True, "ssl_ca_certs": str(self._tls[0])} if self._tls else {}
        )

    @classmethod
    @contextmanager
    def running(cls, *, tls: bool = False) -> Iterator[Self]:
        """Run the servers in a temporary folder."""
        with folder("redis-group") as home:
            group = cls(home, tls=tls)
            try:
                group.form()
                yield group
            finally:
                group.stop()

    def form(self) -> None:
        """Start the servers and connect them to each other."""
        raise NotImplementedError

    def add(self, port: int, lines: str, *, role: str = "server") -> TestRedis:
        """Start another server."""
        instance = Instance(self._home / f"{role}-{port}", port, self.password)
        server = TestRedis(instance, lines=lines, sentinel=role == "sentinel", tls=self._tls)
        self.servers.append(server)
        server.start()
        return server

    def ask(self, server: TestRedis, *command: Any) -> Any:
        """Send one command to one server."""
        with self._client(server, password=self.password) as client:
            return client.execute_command(*command)

    def _client(self, server: TestRedis, **more: Any) -> Redis:
        return Redis("127.0.0.1", server.port, socket_timeout=5, **self._secured, **more)

    def _url(self, kind: str, servers: Sequence[TestRedis], rest: str = "") -> str:
        some = ",".join(f"127.0.0.1:{server.port}" for server in servers)
        scheme, mark = "rediss" if self._tls else "redis", "&" if "?" in rest else "?"
        trusted = f"{mark}ssl_ca_certs={self._tls[0]}" if self._tls else ""
        return f"{scheme}+{kind}://:{self.password}@{some}{rest}{trusted}"

    def stop(self) -> None:
        """Stop all servers."""
        for server in self.servers:
            server.kill()


class TestCluster(Group):
    """Three primaries, each with a replica."""

    __test__ = False

    @property
    def url(self) -> str:
        """Return the URL of the cluster, which names some of its nodes."""
        return self._url("cluster", self.servers[:3])

    def form(self) -> None:
        """Start six nodes: three primaries, which share the slots, and a replica of each."""
        for _ in range(6):
            self.add(
                free_pair(BUS),
                f"masterauth {self.password}\ncluster-enabled yes\ncluster-config-file nodes.conf\n"
                f"cluster-node-timeout {_SILENT_MS}\ncluster-replica-validity-factor 0\n"
                f"cluster-migration-barrier 99\n{_FRESH}",
            )
        first, primaries = self.servers[0], self.servers[:3]
        for number, server in enumerate(primaries):
            mine = range(number * SLOTS // 3, (number + 1) * SLOTS // 3)
            self.ask(server, "CLUSTER", "ADDSLOTS", *mine)
            self.ask(server, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server in self.servers[1:]:
            self.ask(server, "CLUSTER", "MEET", "127.0.0.1", first.port)
        until(lambda: all(self._known(server) == 6 for server in self.servers), "the cluster")
        for server, primary in zip(self.servers[3:], primaries, strict=True):
            self.ask(server, "CLUSTER", "REPLICATE", self.ask(primary, "CLUSTER", "MYID"))
        self.wait_whole()

    def wait_whole(self) -> None:
        """Wait until every slot is served and every primary has its replica."""
        until(lambda: all(map(self._is_whole, self.servers)), "a whole cluster")

    def primary_of(self, key: str) -> TestRedis:
        """Return the server that currently has the key's slot."""
        port = self._owner(self._alive(), key)
        return next(server for server in self.servers if server.port == port)

    def replace_primary_of(self, key: str) -> None:
        """Kill the server that has the key; return when its replica has become the primary.

        The killed server is started again as an empty replica.
        """
        old = self.primary_of(key)
        old.kill()
        try:
            until(lambda: self.primary_of(key) is not old, "another primary")
        except RuntimeError as error:
            views = (self.ask(one, "CLUSTER", "NODES") for one in self.servers if one is not old)
            error.add_note(b"\n".join(views).decode())
            raise
        old.start()

    def freeze_primary_of(self, key: str) -> None:
        """Freeze the server that has the key until another one has replaced it.

        Then let it continue.
        """
        old = self.primary_of(key)
        others = [server for server in self.servers if server is not old]
        with old.frozen():
            until(lambda: self._owner(others[0], key) != old.port, "another primary")

    def replace_with_late_replica(self, stream: str) -> None:
        """Kill the primary of a stream while its replica, which will replace it, lacks an entry."""
        old = self.primary_of(stream)
        for _, _, (_, port, *_), *replicas in self.ask(old, "CLUSTER", "SLOTS"):
            if port == old.port:
                late = next(one for one in self.servers if one.port == replicas[0][1])
        try:
            if not any(self._cut_off(late, old, stream) for _ in range(_CUTS)):
                raise RuntimeError(f"the replica had every entry before each of {_CUTS} cuts")
            old.kill()
        finally:
            self.ask(late, "CONFIG", "SET", "masterauth", self.password)
        until(lambda: self._owner(late, stream) == late.port, "another primary")
        old.start()

    def _cut_off(self, late: TestRedis, old: TestRedis, stream: str) -> bool:
        """Disconnect a replica from its primary; return whether the replica lacks an entry.

        If the replica lacks no entry, connect the replica again. If the replica has an entry but
        has not confirmed it, this stays the last entry, because the relay waits for the
        confirmation.
        """

        def last(server: TestRedis) -> bytes:
            return self._last_entry(server, stream)

        before = last(old)
        until(lambda: last(old) != before, "an entry")
        # With a wrong password it does not come back.
        self.ask(late, "CONFIG", "SET", "masterauth", "wrong")
        self.ask(old, "CLIENT", "KILL", "TYPE", "replica")
        until(lambda: not self._is_linked(late), "a replica without its primary")
        with suppress(RuntimeError):
            until(lambda: last(late) != last(old), "an entry it lacks", within=_ENTRY_SECONDS)
            return True
        self.ask(late, "CONFIG", "SET", "masterauth", self.password)
        until(lambda: self._is_linked(late), "a replica with its primary")
        return False

    def _last_entry(self, server: TestRedis, stream: str) -> bytes:
        with self._client(server, password=self.password) as client:
            client.execute_command("READONLY")  # a replica would send us to its primary
            found: Any = client.xinfo_stream(stream)
            return bytes(found["last-generated-id"])

    def slot_of(self, key: str) -> int:
        """Return the slot of a key."""
        return int(self.ask(self._alive(), "CLUSTER", "KEYSLOT", key))

    def move_slot(self, slot: int, to: TestRedis) -> None:
        """Move a slot with its keys to another primary during normal operation."""
        (origin,) = (
            server
            for server in self.servers
            for first, last, (_, port, *_), *_ in self.ask(to, "CLUSTER", "SLOTS")
            if first <= slot <= last and server.port == port
        )
        if origin is to:
            return
        origin_id, to_id = (self.ask(one, "CLUSTER", "MYID").decode() for one in (origin, to))
        self.ask(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", origin_id)
        self.ask(origin, "CLUSTER", "SETSLOT", slot, "MIGRATING", to_id)
        while keys := self.ask(origin, "CLUSTER", "GETKEYSINSLOT", slot, 100):
            self.ask(
                origin, "MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "AUTH", self.password,
                "KEYS", *keys,
            )  # fmt: skip
        for one in (to, origin, *self.servers):
            with suppress(RedisError, OSError):  # a replica gets it from its primary
                self.ask(one, "CLUSTER", "SETSLOT", slot, "NODE", to_id)

    def primaries(self) -> list[TestRedis]:
        """Return the servers that currently have slots."""
        found = self.ask(self._alive(), "CLUSTER", "SLOTS")
        ports = {entry[2][1] for entry in found}
        return [server for server in self.servers if server.port in ports]

    def _owner(self, server: TestRedis, key: str) -> int:
        """Return the port of the key's primary according to this server."""
        slot = self.ask(server, "CLUSTER", "KEYSLOT", key)
        for first, last, (_, port, *_), *_ in self.ask(server, "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return int(port)
        raise LookupError(key)

    def _alive(self) -> TestRedis:
        return next(server for server in self.servers if server.is_running)

    def _known(self, server: TestRedis) -> int:
        nodes: bytes = self.ask(server, "CLUSTER", "NODES")
        return len(nodes.splitlines())

    def _is_whole(self, server: TestRedis) -> bool:
        info = self.ask(server, "CLUSTER", "INFO")
        slots = self.ask(server, "CLUSTER", "SLOTS")
        served = all(len(entry) >= 4 for entry in slots)
        return b"cluster_state:ok" in info and served and self._is_linked(server)

    def _is_linked(self, server: TestRedis) -> bool:
        """Return whether a replica follows its primary, or a primary has a replica."""
        found = self.ask(server, "INFO", "replication")
        if found["role"] == "master":
            return bool(found["connected_slaves"])
        return bool(found["master_link_status"] == "up")


class TestSentinels(Group):
    """A primary with two replicas, and three Sentinels that replace it."""

    __test__ = False
    NAME: Final = "main"

    @property
    def url(self) -> str:
        """Return the URL with the Sentinels and the name of the primary."""
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        """Return the URL of one of the databases."""
        return self._url("sentinel", self.servers[3:], f"/{self.NAME}?db={database}")

    def form(self) -> None:
        """Start three servers, two of which are replicas, and their Sentinels."""
        lines = f"masterauth {self.password}\n{_FRESH}"
        first = self.add(free_port(), lines)
        for _ in range(2):
            self.add(free_port(), f"{lines}replicaof 127.0.0.1 {first.port}\n")
        for _ in range(3):
            self.add(
                free_port(),
                f"sentinel monitor {self.NAME} 127.0.0.1 {first.port} 2\n"
                f"sentinel auth-pass {self.NAME} {self.password}\n"
                f"sentinel down-after-milliseconds {self.NAME} {_SILENT_MS}\n"
                f"sentinel failover-timeout {self.NAME} 3000\n",
                role="sentinel",
            )
        self.wait_whole()

    def primary(self) -> TestRedis:
        """Return the server that most Sentinels regard as the primary."""
        ports = [self._primary_port(server) for server in self.servers[3:] if server.is_running]
        port = max(set(ports), key=ports.count)
        return next(server for server in self.servers if server.port == port)

    def replace_primary(self) -> None:
        """Kill the primary; return when a replica has replaced it and the old one runs again."""
        old = self.primary()
        old.kill()
        until(lambda: self.primary() is not old, "another primary")
        old.start()
        # As start-up scripts do, who ask a Sentinel first: else it takes them ten seconds.
        self.ask(old, "REPLICAOF", "127.0.0.1", self.primary().port)

    def freeze_primary(self) -> None:
        """Freeze the primary until a replica has replaced it; then let it continue."""
        old = self.primary()
        with old.frozen():
            until(lambda: self.primary() is not old, "another primary")

    def wait_whole(self) -> None:
        """Wait until the primary has two replicas, and the Sentinels know them and each other."""
        until(self._is_whole, "a primary with two replicas under three Sentinels")

    def _primary_port(self, sentinel: TestRedis) -> int:
        with self._client(sentinel) as client:
            found: Any = client.sentinel_get_master_addr_by_name(self.NAME)
            return int(found[1])

    def _is_whole(self) -> bool:
        info = self.ask(self.primary(), "INFO", "replication")
        replicas = [info.get(f"slave{number}", {}) for number in range(2)]
        if info["role"] != "master" or [one.get("state") for one in replicas] != ["online"] * 2:
            return False
        for sentinel in self.servers[3:]:
            with self._client(sentinel) as client:
                state: Any = client.sentinel_master(self.NAME)
                known = (state["num-slaves"], state["num-other-sentinels"], state["is_odown"])
                if known != (2, 2, False):
                    return False
        return True


cluster = TestCluster.running
sentinels = TestSentinels.running
