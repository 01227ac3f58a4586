"""A MariaDB for tests, or the server that `TEST_MYSQL_URL` names."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from aiosqlc.servers import private
from pymysql.constants import CLIENT

from tests.servers.ports import free_port
from tests.servers.processes import folder
from tests.servers.programs import program

_USER = "tester"
_SETTINGS = (
    "--bind-address=127.0.0.1", "--skip-name-resolve", "--character-set-server=utf8mb4",
    "--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync",
    "--innodb-file-per-table=OFF", "--innodb-buffer-pool-size=32M", "--performance-schema=OFF",
    "--secure-file-priv=", "--loose-mysqlx=OFF",
)  # fmt: skip
_MODE = (
    "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)


class TestMysql:
    """Create and drop databases on the server at `url`; their names start with `prefix`."""

    __test__ = False

    def __init__(self, url: str, prefix: str = "") -> None:
        self.url = url
        self._prefix = prefix
        self._made: dict[str, None] = {}
        self._count = 0

    def create_empty(self, name: str = "empty") -> str:
        """Return the URL of a new empty database."""
        self._count += 1
        database = f"{self._prefix}{name}_{self._count}"
        self._run(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        self._made[database] = None
        return urlsplit(self.url)._replace(path=f"/{database}").geturl()

    def drop(self, url: str) -> None:
        """Drop a database that this object created."""
        database = urlsplit(url).path.lstrip("/")
        self._run(f"DROP DATABASE IF EXISTS `{database}`")
        self._made.pop(database, None)

    def drop_all(self) -> None:
        """Drop all remaining databases that this object created."""
        for database in tuple(self._made):
            self.drop(f"/{database}")

    def _run(self, statement: str) -> None:
        arguments = connect_arguments(self.url)
        arguments.pop("db")
        with pymysql.connect(**arguments) as connection, connection.cursor() as cursor:
            cursor.execute(statement)


def connect_arguments(url: str, *, seconds: float = 60) -> dict[str, Any]:
    """Return the arguments of `pymysql.connect` and `aiomysql.connect` for a strict UTC session."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 3306,
        "user": unquote(parts.username or "root"),
        "password": unquote(parts.password or ""),
        "db": parts.path.lstrip("/") or None,
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": 30,
        # An UPDATE counts the rows that it finds, as other servers do.
        "client_flag": CLIENT.FOUND_ROWS,
        "init_command": (
            f"SET SESSION time_zone = '+00:00', sql_mode = '{_MODE}'"
            f"/*M! , max_statement_time = {seconds} */"
            f"/*!80000 , max_execution_time = {int(seconds * 1000)} */"
        ),
    }


@contextmanager
def shared() -> Iterator[TestMysql]:
    """Use the server at `TEST_MYSQL_URL`, for databases called `test_…`, or run a server."""
    url = os.environ.get("TEST_MYSQL_URL")
    if not url:
        with running() as server:
            yield server
        return
    databases = TestMysql(url, prefix=f"test_{secrets.token_hex(4)}_")
    try:
        yield databases
    finally:
        databases.drop_all()


@contextmanager
def running() -> Iterator[TestMysql]:
    """Run a server in a temporary folder. Skip the test if none is installed."""
    server = program("mariadbd", "mysqld")
    with folder("mysql") as home:
        port, password = free_port(), secrets.token_urlsafe(16)
        private.install(_installing(server, home), home / "install.log")
        (home / "init.sql").write_text(
            f"CREATE USER IF NOT EXISTS '{_USER}'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
            f"GRANT ALL ON *.* TO '{_USER}'@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        command = [
            server, "--no-defaults", f"--datadir={home / 'data'}", f"--port={port}",
            f"--socket={home / 'sock'}", f"--pid-file={home / 'pid'}", f"--tmpdir={home}",
            f"--init-file={home / 'init.sql'}", *_SETTINGS, *_as_root(),
        ]  # fmt: skip
        url = f"mysql://{_USER}:{password}@127.0.0.1:{port}/"
        with private.running(
            command, home / "log", lambda _: _accepts(url), [signal.SIGTERM],
            orphaned=signal.SIGKILL,
        ):  # fmt: skip
            yield TestMysql(url)


def _installing(server: str, home: Path) -> list[str]:
    data = f"--datadir={home / 'data'}"
    if "mariadb" not in Path(server).resolve().name:
        return [server, "--no-defaults", data, "--initialize-insecure", "--secure-file-priv="]
    return [
        program("mariadb-install-db", "mysql_install_db"), "--no-defaults", data,
        "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
        *_as_root(),
    ]  # fmt: skip


def _as_root() -> list[str]:
    """Allow the server to run as root: it listens only on 127.0.0.1 and requires a password."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _accepts(url: str) -> bool:
    arguments = connect_arguments(url)
    try:
        pymysql.connect(**arguments).close()
    except pymysql.MySQLError:
        return False
    return True
