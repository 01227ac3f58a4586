"""Three PostgreSQL servers under Patroni: one leads, two follow, one of them synchronously."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil
import yaml

from devstack.embedded import children
from devstack.embedded.account import hand_over, let_read, open_way, unprivileged
from devstack.embedded.ports import free_port
from devstack.embedded.postgres import SUPERUSER, binary
from devstack.testing.components import program
from devstack.testing.killable import folder

_Found = TypeVar("_Found")
_START_SECONDS: Final = 240.0
_FAILOVER_SECONDS: Final = 90.0


class Node:
    """One server and its Patroni. `freeze` stops both, like a lost network."""

    def __init__(self, home: Path, name: str) -> None:
        self.home, self.name = home / name, name
        self.port, self.api = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        # When the server that was killed last had been started, as Patroni says it.
        self.killed: str | None = None

    def state(self) -> dict[str, Any]:
        """Return the state of the server that Patroni reports, or {} if Patroni does not respond.

        The state has the keys `state`, `role`, `sync_standby` and others. The body is read for
        every status of the response.
        """
        asked = HTTPConnection("127.0.0.1", self.api, timeout=2)
        try:
            asked.request("GET", "/patroni")
            return dict(json.load(asked.getresponse()))
        except (OSError, HTTPException, ValueError):
            return {}
        finally:
            asked.close()

    def kill(self) -> None:
        """End the server and its child processes as `kill -9` does."""
        self.killed = self.state().get("postmaster_start_time")
        for process in self._server():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def freeze(self) -> None:
        """Freeze the server and its Patroni; their connections stay open."""
        for process in self._all():
            process.suspend()

    def thaw(self) -> None:
        """Let the server and its Patroni continue."""
        for process in reversed(self._all()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def _server(self) -> list[psutil.Process]:
        first = int((self.home / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        postmaster = psutil.Process(first)
        return [postmaster, *postmaster.children(recursive=True)]

    def _all(self) -> list[psutil.Process]:
        patroni = [] if self.process is None else [psutil.Process(self.process.pid)]
        return [*patroni, *self._server()]


class PatroniCluster:
    """The three nodes, and the etcd that stores their common state.

    The superuser's URLs are only for tests.
    """

    def __init__(self, home: Path) -> None:
        self._etcd_program = program("etcd")
        self._home, self._account = home, unprivileged()
        self._etcd, self._peers = free_port(), free_port()
        self._password = secrets.token_hex(8)
        self.nodes = [Node(home, f"n{number}") for number in range(3)]
        self._processes: list[subprocess.Popen[bytes]] = []

    def url(self, database: str) -> str:
        """Return one URL for all nodes; a client that uses it finds the leader."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://{SUPERUSER}:{self._password}@{hosts}/{database}?target_session_attrs=primary"

    def url_of(self, node: Node, database: str) -> str:
        """Return the URL of one node's own server."""
        return f"postgresql://{SUPERUSER}:{self._password}@127.0.0.1:{node.port}/{database}"

    def leader(self, *, but: Node | None = None) -> Node:
        """Wait until a node leads and another node follows synchronously; return the leader.

        The leader is not `but`, unless Patroni has restarted the killed server of `but`.
        """

        def found() -> Node | None:
            states = {node: node.state() for node in self.nodes}
            if but and states[but].get("postmaster_start_time") in (None, but.killed):
                del states[but]
            leading = [n for n, s in states.items() if s.get("role") in ("primary", "master")]
            follows = any(state.get("sync_standby") for state in states.values())
            return leading[0] if len(leading) == 1 and follows else None

        return self._wait(found, _FAILOVER_SECONDS)

    def complete(self) -> None:
        """Wait until all three nodes run, so that another one may be killed."""
        self._wait(lambda: all(map(_streams, self.nodes)) or None, _START_SECONDS)

    def start(self) -> None:
        """Start etcd and the nodes; return when all nodes follow."""
        if self._account is not None:
            open_way(Path(sys.executable))
            open_way(Path(sys.executable).resolve())
            let_read(binary("postgres").parents[1])
        client, peers = (f"http://127.0.0.1:{port}" for port in (self._etcd, self._peers))
        self._spawn(
            "etcd",
            [
                self._etcd_program, "--data-dir", str(self._home / "etcd"),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
                "--initial-cluster", f"default={peers}", "--log-level", "error",
            ],
        )  # fmt: skip
        patroni = str(Path(sys.executable).parent / "patroni")
        for node in self.nodes:
            hand_over(node.home, self._account)
            (node.home / "patroni.yml").write_text(yaml.safe_dump(self._settings(node)))
            node.process = self._spawn(node.name, [patroni, str(node.home / "patroni.yml")])
        self.complete()

    def stop(self) -> None:
        """Kill all processes at once, because the data is not needed any more."""
        for process in reversed(self._processes):
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                whole = psutil.Process(process.pid)
                for one in (*whole.children(recursive=True), whole):
                    one.kill()
            process.wait()
        for node in self.nodes:
            with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):
                node.kill()

    def _spawn(self, name: str, line: list[str]) -> subprocess.Popen[bytes]:
        with (self._home / f"{name}.log").open("wb") as log:
            process = children.spawn(
                line, log=log, account=self._account, cwd=self._home, death_signal=signal.SIGKILL
            )
        self._processes.append(process)
        return process

    def _wait(self, found: Callable[[], _Found | None], seconds: float) -> _Found:
        deadline = time.monotonic() + seconds
        while (result := found()) is None:
            if time.monotonic() > deadline:
                said = "".join(
                    f"\n{log.name}: {log.read_text()[-1000:]}" for log in self._home.glob("*.log")
                )
                states = {node.name: node.state() for node in self.nodes}
                raise RuntimeError(f"the cluster is not what was waited for: {states}{said}")
            time.sleep(0.1)
        return result

    def _settings(self, node: Node) -> dict[str, Any]:
        accounts = {"superuser": SUPERUSER, "replication": "replicator", "rewind": "rewinder"}
        return {
            "scope": "test",
            "name": node.name,
            "restapi": {"listen": f"127.0.0.1:{node.api}"},
            "etcd3": {"host": f"127.0.0.1:{self._etcd}"},
            "bootstrap": {
                "dcs": {
                    # The least that Patroni allows. A server that died is replaced at once.
                    "ttl": 20, "loop_wait": 1, "retry_timeout": 3, "primary_start_timeout": 0,
                    "synchronous_mode": True, "synchronous_mode_strict": True,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "parameters": {
                            "fsync": "off", "wal_log_hints": "on", "shared_buffers": "32MB",
                            "unix_socket_directories": "", "timezone": "UTC",
                            "log_timezone": "UTC",
                            "dynamic_shared_memory_type": "mmap",
                        },
                    },
                },
                "initdb": ["no-sync", "data-checksums", {"encoding": "UTF8"}],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{node.port}",
                "data_dir": str(node.home / "data"),
                "bin_dir": str(binary("postgres").parent),
                "pgpass": str(node.home / "pgpass"),
                "pg_hba": [
                    f"host {what} all 127.0.0.1/32 scram-sha-256" for what in ("all", "replication")
                ],
                "authentication": {
                    role: {"username": name, "password": self._password}
                    for role, name in accounts.items()
                },
            },
        }  # fmt: skip


def _streams(node: Node) -> bool:
    state = node.state()
    leads = state.get("role") in ("primary", "master") and state.get("state") == "running"
    return leads or state.get("replication_state") == "streaming"


@contextmanager
def running() -> Iterator[PatroniCluster]:
    """Run a cluster of three nodes. Without etcd, skip the test; in CI, fail."""
    with folder("patroni") as home:
        cluster = PatroniCluster(home)
        hand_over(home, unprivileged())
        (home / "etcd").mkdir()
        account = unprivileged()
        if account is not None:
            os.chown(home / "etcd", account.uid, account.gid)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
