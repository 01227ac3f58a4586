"""A temporary PgBouncer in transaction mode in front of a PostgreSQL of the tests.

With `DATABASE_POOLER=transaction`, each service in a test connects to PostgreSQL through a
PgBouncer.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from devstack.embedded.account import hand_over, unprivileged
from devstack.embedded.ports import free_port
from devstack.settings import service_names
from devstack.testing.components import program
from devstack.testing.killable import Killable, folder, until
from lib.config import Pooler
from lib.db.grants import role_of


class TestPgBouncer(Killable):
    """A pooler for one test; the test can `kill()` it and `start()` it again."""

    def __init__(self, home: Path, url: str, *, servers: int, clients: int) -> None:
        """Configure it for the server of `url`.

        The account of `url` and the services' roles may connect.
        """
        self._binary = program("pgbouncer")
        self.version = _version(self._binary)
        self._home, self._account = home, unprivileged()
        self.port = free_port()
        to = urlsplit(url)
        may_enter = (to.username, *map(role_of, service_names()))
        (home / "users").write_text("".join(f'"{name}" "{to.password}"\n' for name in may_enter))
        (home / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={to.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = plain\nauth_file = {home / 'users'}\nadmin_users = {to.username}\n"
            f"pool_mode = transaction\ndefault_pool_size = {servers}\n"
            # If the server is down, queries fail soon, and the next connection is tried soon.
            f"query_wait_timeout = 3\nserver_login_retry = 1\n"
            f"max_client_conn = {clients}\nlogfile = {home / 'log'}\n"
            + ("max_prepared_statements = 100\n" if self.prepares else "")
        )
        hand_over(home, self._account)
        for file in home.iterdir():
            if self._account is not None:
                os.chown(file, self._account.uid, self._account.gid)

    @property
    def prepares(self) -> bool:
        """Return whether prepared statements work in every session of the pooler."""
        return self.version >= (1, 22)  # 1.21 knows no DEALLOCATE ALL, which psycopg sends

    def through(self, url: str) -> str:
        """Return the URL of the same database through the pooler."""
        to = urlsplit(url)
        return to._replace(netloc=f"{to.username}:{to.password}@127.0.0.1:{self.port}").geturl()

    def start(self) -> None:
        """Start the pooler on the same port; return when it listens."""
        line = [self._binary, "--quiet", str(self._home / "pgbouncer.ini")]
        self._spawn(line, account=self._account)
        try:
            until(self._listens, "a PgBouncer")
        except RuntimeError as error:
            error.add_note((self._home / "log").read_text())
            raise

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


def _version(binary: str) -> tuple[int, ...]:
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.split()[1].split(".")[:2]))  # PgBouncer 1.18.0


@contextmanager
def running(url: str, *, servers: int = 20, clients: int = 300) -> Iterator[TestPgBouncer]:
    """Run a pooler in front of the server of `url`.

    If none is installed, skip the test; in CI, fail.
    """
    with folder("pgbouncer") as home:
        pooler = TestPgBouncer(home, url, servers=servers, clients=clients)
        try:
            pooler.start()
            yield pooler
        finally:
            pooler.kill()


_BEFORE: Final[dict[int | None, TestPgBouncer]] = {}  # by the server's port
_RUNNING: Final = ExitStack()


def wanted() -> bool:
    """Return whether services must connect to their databases through a pooler."""
    return os.environ.get("DATABASE_POOLER") == Pooler.TRANSACTION


def before(url: str) -> TestPgBouncer:
    """Return the pooler in front of the server of `url`; the first call starts it."""
    port = urlsplit(url).port
    if port not in _BEFORE:
        _BEFORE[port] = _RUNNING.enter_context(running(url))
    return _BEFORE[port]


@contextmanager
def ended() -> Iterator[None]:
    """After the block, stop the poolers that `before` has started."""
    with _RUNNING:
        yield
    _BEFORE.clear()
