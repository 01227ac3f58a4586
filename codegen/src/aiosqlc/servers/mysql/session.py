"""Connect to the server for the analysis: the server in `database.uri`, or a private server."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from msgspec import Struct
from pymysql.connections import Connection

from aiosqlc.servers.mysql.private import PrivateServer, find_binaries
from aiosqlc.servers.mysql.tls import tls_arguments
from aiosqlc.servers.private import NoServerError, cache_folder

# The SQL mode of generated executors.
SQL_MODE = (
    "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
SYSTEM = frozenset({"mysql", "information_schema", "performance_schema", "sys"})


class Session(Struct, frozen=True):
    """An open connection to a server on which the compiler may use databases named `prefix…`.

    `private` means that only the compiler uses the server.
    """

    connection: Connection[Any]
    version: str
    private: bool

    @property
    def is_mariadb(self) -> bool:
        """Return whether the server is MariaDB and not MySQL."""
        return "mariadb" in self.version.lower()

    def run(self, sql: str) -> None:
        """Run one statement."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)

    def restore(self) -> None:
        """Reset session settings that schema files, such as dumps, have changed."""
        self.run("UNLOCK TABLES")
        self.run(f"SET sql_mode = '{SQL_MODE}', time_zone = '+00:00', autocommit = 1")
        self.run("SET lock_wait_timeout = DEFAULT, foreign_key_checks = DEFAULT")
        self.run("SET old_alter_table = DEFAULT")  # MariaDB: another name of alter_algorithm
        self.run("SET NAMES utf8mb4")
        self.connection.commit()

    def rows(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, args or None)
            return list(cursor.fetchall())


class _Warm:
    """The private servers of this process. Each starts when it is first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[str, PrivateServer] = {}

    def stop(self) -> None:
        """Stop all servers; the next call of `socket` starts a new one."""
        with self._lock:
            while self._servers:
                self._servers.popitem()[1].stop()

    def socket(self, cache: Path, kin: str) -> str:
        """Return the socket of the private server for MySQL or MariaDB; start it if necessary."""
        with self._lock:
            known = self._servers.get(kin)
            if known is None or not known.running:
                binaries = find_binaries(kin) if kin else find_binaries()
                if binaries is None:
                    raise NoServerError("neither mariadbd nor mysqld is installed")
                if known is not None:
                    known.stop()  # the server died, so its data directory is free
                self._servers[kin] = PrivateServer(binaries, cache / binaries.flavour)
            return self._servers[kin].socket


_warm = _Warm()


def open_session(database_uri: str | None, cache_dir: Path | None, kin: str = "") -> Session:
    """Connect to the configured server, or start a private server if necessary and connect to it.

    `kin` selects the private server if there is a choice: `mysql` or `mariadb`.

    Raises:
        NoServerError: if no server is available; the message does not contain the password.
    """
    if database_uri:
        return _session(private=False, **login_of(database_uri))
    home = cache_dir or cache_folder()
    try:
        return _session(private=True, unix_socket=_warm.socket(home, kin), user="root")
    except NoServerError:
        _warm.stop()  # a query may have crashed the server, which is ending or has ended
        return _session(private=True, unix_socket=_warm.socket(home, kin), user="root")


def _session(*, private: bool, **arguments: Any) -> Session:
    try:
        connection = pymysql.connect(
            **arguments,
            autocommit=True,
            charset="utf8mb4",
            connect_timeout=5,
            sql_mode=SQL_MODE,
            # For the whole session, so that DDL with foreign keys may run in any order.
            init_command="SET time_zone = '+00:00'",
        )
    except pymysql.MySQLError as error:
        where = arguments.get("host", "the private server")
        raise NoServerError(f"cannot connect to {where}: {error.args[-1]}") from None
    version = str(connection.get_server_info()).removeprefix("5.5.5-")  # a prefix for old clients
    return Session(connection, version, private)


def login_of(uri: str) -> dict[str, Any]:
    """Return the driver's arguments for a URI. Raise `NoServerError` if the URI is not valid."""
    parts = urlsplit(uri)
    if not re.fullmatch(r"(mysql|mariadb)(\+\w+)?", parts.scheme):
        raise NoServerError(f"`{parts.scheme}://` is not mysql:// or mariadb://")
    try:
        tls = tls_arguments(parts.query)
    except ValueError as error:
        raise NoServerError(f"database.uri: {error}") from None
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 3306,
        "user": unquote(parts.username or "root"),
        "password": unquote(parts.password or ""),
        **tls,
    }
