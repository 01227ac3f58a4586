"""A PgBouncer in transaction mode in front of a PostgreSQL of the tests; a test may kill it."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiosqlc.servers.postgres.account import server_account

from tests.servers.ports import free_port
from tests.servers.processes import folder, until
from tests.servers.programs import program


class TestPgBouncer:
    """A pooler for one test: `through(url)`, `kill()`, `start()`."""

    __test__ = False

    def __init__(self, home: Path, url: str, *, servers: int) -> None:
        self._binary = program("pgbouncer")
        self.version = _version(self._binary)
        self._home, self._account = home, server_account()
        self.port = free_port()
        to = urlsplit(url)
        (home / "users").write_text(f'"{to.username}" "{to.password}"\n')
        (home / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={to.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = plain\nauth_file = {home / 'users'}\nadmin_users = {to.username}\n"
            f"pool_mode = transaction\ndefault_pool_size = {servers}\n"
            "query_wait_timeout = 3\nserver_login_retry = 1\n"
            f"max_client_conn = 300\nlogfile = {home / 'log'}\n"
            + ("max_prepared_statements = 100\n" if self.prepares else "")
        )
        for path in (home, *home.iterdir()):
            if self._account is not None:
                os.chown(path, self._account.uid, self._account.gid)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def prepares(self) -> bool:
        """Return whether prepared statements exist in every session of the pooler."""
        return self.version >= (1, 22)  # 1.21 knows no DEALLOCATE ALL, which psycopg sends

    def through(self, url: str) -> str:
        """Return the URL of the same database through the pooler."""
        to = urlsplit(url)
        return to._replace(netloc=f"{to.username}:{to.password}@127.0.0.1:{self.port}").geturl()

    def start(self) -> None:
        """Start the pooler on the same port; return when it listens."""
        self._process = subprocess.Popen(
            [self._binary, "--quiet", str(self._home / "pgbouncer.ini")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", **(self._account.process if self._account else {}),
        )  # fmt: skip
        until(self._listens, "a listening PgBouncer")

    def kill(self) -> None:
        """End the pooler as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


def _version(binary: str) -> tuple[int, ...]:
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.split()[1].split(".")[:2]))  # PgBouncer 1.18.0


@contextmanager
def running(url: str, *, servers: int) -> Iterator[TestPgBouncer]:
    """Run a pooler in front of the server of `url`. Skip the test if it is not installed."""
    with folder("pgbouncer") as home:
        pooler = TestPgBouncer(home, url, servers=servers)
        try:
            pooler.start()
            yield pooler
        finally:
            pooler.kill()
