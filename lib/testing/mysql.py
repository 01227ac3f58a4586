"""A throw-away MariaDB (or MySQL) from the system's binaries, on a port of 127.0.0.1."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection

from lib.db import migrations
from lib.db.mysql_session import SQL_MODE
from lib.embedded import children
from lib.embedded.ports import free_port
from lib.testing.components import program
from lib.testing.mysql_clone import dump

START_SECONDS = 30.0
_USER = "tester"


class TestMysql:
    """A server of one's own. `kill()` and `start()` are there for tests of what happens then."""

    __test__ = False

    def __init__(
        self, home: Path, server: str, migrations_root: Path, tls: tuple[Path, Path] | None = None
    ) -> None:
        self._home = home
        self._server = server
        self._root = migrations_root
        self._tls = [f"--ssl-cert={tls[0]}", f"--ssl-key={tls[1]}"] if tls else []
        self._password = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        self._templates: dict[tuple[str, bool], tuple[str, ...] | None] = {}
        self.port = free_port()

    def create(self, db: str, *, demo: bool = False) -> str:
        """Return the URL of a new database with `db`'s schema and, if asked, its demo data.

        The first one is migrated, those after it are copies of what came of that.
        """
        url = self.create_empty(db)
        if (db, demo) not in self._templates:
            self._templates[db, demo] = self._dump(self._migrated(db, demo=demo))
        template = self._templates[db, demo]
        if template is None:
            self._migrate(url, db, demo=demo)
        else:
            self._run(url.rpartition("/")[2], template)
        return url

    def _migrated(self, db: str, *, demo: bool) -> str:
        url = self.create_empty(f"template_{db}")
        self._migrate(url, db, demo=demo)
        return url

    def _migrate(self, url: str, db: str, *, demo: bool) -> None:
        migrations.apply(url, migrations.source(self._root, db, url), db=db, demo=demo)

    def _dump(self, url: str) -> tuple[str, ...] | None:
        with self._connect() as connection:
            return dump(connection, url.rpartition("/")[2])

    def _run(self, database: str, statements: tuple[str, ...]) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            connection.select_db(database)
            for statement in statements:
                cursor.execute(statement)

    def create_empty(self, name: str = "empty") -> str:
        """Return the URL of a new database with nothing in it."""
        self._count += 1
        database = f"{name}_{self._count}"
        self._admin(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        return f"mysql://{_USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def drop(self, url: str) -> None:
        """Drop a database made here."""
        self._admin(f"DROP DATABASE IF EXISTS `{url.rpartition('/')[2]}`")

    def prepare(self) -> None:
        """Make the data directory and the account that tests use."""
        self._run_once("mariadb-install-db", "mysql_install_db")
        (self._home / "init.sql").write_text(
            f"CREATE USER IF NOT EXISTS '{_USER}'@'127.0.0.1' IDENTIFIED BY '{self._password}';\n"
            f"GRANT ALL ON *.* TO '{_USER}'@'127.0.0.1' WITH GRANT OPTION;\n"
        )

    def start(self) -> None:
        """Start it, same port and data; returns when it lets the account in."""
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
                    "--performance-schema=OFF", *self._tls, *_as_root(),
                ],
                log=log,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                last = (self._home / "log").read_text(errors="replace").splitlines()[-2:]
                raise RuntimeError(f"{self._server} did not start: {' | '.join(last)}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End the server as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _accepts(self) -> bool:
        try:
            self._admin("SELECT 1")
        except pymysql.MySQLError:
            return False
        return True

    def _connect(self) -> Connection[Any]:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=_USER, password=self._password,
            autocommit=True, charset="utf8mb4", sql_mode=SQL_MODE,
        )  # fmt: skip

    def _admin(self, statement: str) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def _run_once(self, *names: str) -> None:
        result = subprocess.run(
            [
                program(*names), "--no-defaults", f"--datadir={self._home / 'data'}",
                "--auth-root-authentication-method=normal", "--skip-test-db",
                "--skip-name-resolve", *_as_root(),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode:
            raise RuntimeError(f"the data directory could not be made: {result.stdout[-300:]}")


def _as_root() -> list[str]:
    """Root must say that it means it: the server listens on 127.0.0.1, behind a password."""
    return ["--user=root"] if os.geteuid() == 0 else []


@contextmanager
def running(migrations_root: Path, tls: tuple[Path, Path] | None = None) -> Iterator[TestMysql]:
    """Run a server in a directory that is removed with it; skips where none is installed.

    `tls` is the PEM files of its certificate and key, without which it has no TLS.
    """
    home = Path(tempfile.mkdtemp(prefix="test-mysql-"))
    server = TestMysql(home, program("mariadbd", "mysqld"), migrations_root, tls)
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(home, ignore_errors=True)
