"""The server for tests: the server at `TEST_MYSQL_URL`, or a temporary server.

The temporary server is MariaDB, or MySQL if only MySQL is installed, at a port of 127.0.0.1.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devstack.embedded import children
from devstack.embedded.ports import free_port
from devstack.testing import containers
from devstack.testing.components import program
from devstack.testing.killable import Killable, folder
from devstack.testing.mysql_databases import MysqlDatabases

START_SECONDS = 120.0
_USER = "tester"
# MySQL ends itself where the folder it was built with for this is not there.
_NO_FILES = "--secure-file-priv="


class TestMysql(Killable, MysqlDatabases):
    """A server for one test. A test can `kill()` it and `start()` it again."""

    def __init__(
        self,
        home: Path,
        server: str,
        migrations_root: Path,
        tls: tuple[Path, Path] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.port = free_port()
        self._password = secrets.token_urlsafe(16)
        url = f"mysql://{_USER}:{self._password}@127.0.0.1:{self.port}/"
        super().__init__(url, migrations_root)
        self._home = home
        self._server = server
        self._options = [*options]
        if tls:
            self._options += [f"--ssl-cert={tls[0]}", f"--ssl-key={tls[1]}"]

    def prepare(self) -> None:
        """Create the data directory and the account that tests use."""
        install = [*self._install(), *_as_root()]
        result = subprocess.run(install, capture_output=True, text=True, check=False)
        if result.returncode:
            said = (result.stdout + result.stderr)[-300:]
            raise RuntimeError(f"the data directory could not be made: {said}")
        (self._home / "init.sql").write_text(
            f"CREATE USER IF NOT EXISTS '{_USER}'@'127.0.0.1' IDENTIFIED BY '{self._password}';\n"
            f"GRANT ALL ON *.* TO '{_USER}'@'127.0.0.1' WITH GRANT OPTION;\n"
        )

    def start(self) -> None:
        """Start the server with the same port and data; return when it accepts the account."""
        with (self._home / "log").open("ab") as log:
            self._process = children.spawn(
                [
                    self._server, "--no-defaults", f"--datadir={self._home / 'data'}",
                    f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve",
                    f"--socket={self._home / 'sock'}", f"--pid-file={self._home / 'pid'}",
                    f"--tmpdir={self._home}",
                    f"--init-file={self._home / 'init.sql'}", "--character-set-server=utf8mb4",
                    # A killed server loses nothing of this: the system still has what it wrote.
                    "--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync",
                    "--innodb-file-per-table=OFF", "--innodb-buffer-pool-size=32M",
                    "--performance-schema=OFF", _NO_FILES, "--loose-mysqlx=OFF",
                    *self._options, *_as_root(),
                ],
                log=log,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self.accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                last = (self._home / "log").read_text(errors="replace").splitlines()[-2:]
                raise RuntimeError(f"{self._server} did not start: {' | '.join(last)}")
            time.sleep(0.02)

    def _install(self) -> list[str]:
        data = f"--datadir={self._home / 'data'}"
        said = subprocess.run(
            [self._server, "--version"], capture_output=True, text=True, check=False
        )
        if "mariadb" not in said.stdout.lower():
            return [self._server, "--no-defaults", data, "--initialize-insecure", _NO_FILES]
        return [
            program("mariadb-install-db", "mysql_install_db"), "--no-defaults", data,
            "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
        ]  # fmt: skip


def _as_root() -> list[str]:
    """Allow the server to run as root: it listens only on 127.0.0.1 and requires a password."""
    return ["--user=root"] if os.geteuid() == 0 else []


@contextmanager
def running(
    migrations_root: Path, tls: tuple[Path, Path] | None = None, options: Sequence[str] = ()
) -> Iterator[TestMysql]:
    """Run a server in a temporary directory. If no server is installed, skip the test.

    `tls` has the PEM files of the certificate and the key; without it, the server has no TLS.
    `options` are additional command-line options.
    """
    with folder("mysql") as home:
        server = TestMysql(home, program("mariadbd", "mysqld"), migrations_root, tls, options)
        try:
            server.prepare()
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def shared(migrations_root: Path) -> Iterator[MysqlDatabases]:
    """Yield the server at `TEST_MYSQL_URL`, for databases called `test_…`, or run a server."""
    url = os.environ.get("TEST_MYSQL_URL")
    if not url and containers.wanted():
        with _contained(migrations_root) as databases:
            yield databases
        return
    if not url:
        with running(migrations_root) as server:
            yield server
        return
    databases = MysqlDatabases(url, migrations_root, prefix=f"test_{secrets.token_hex(4)}_")
    try:
        yield databases
    finally:
        databases.drop_all()


@contextmanager
def _contained(migrations_root: Path) -> Iterator[MysqlDatabases]:
    password = containers.new_password()
    with containers.running(
        "MARIADB_IMAGE", 3306,
        environ={"MARIADB_ROOT_PASSWORD": password, "MARIADB_ROOT_HOST": "%"},
        command=["--innodb-flush-log-at-trx-commit=2"],
    ) as port:  # fmt: skip
        databases = MysqlDatabases(f"mysql://root:{password}@127.0.0.1:{port}/", migrations_root)
        containers.until(databases.accepts, "MariaDB")
        yield databases
