"""A MariaDB with a replica of its own, which repeats its log: for tests of reads from replicas."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pymysql

from devstack.testing import mysql
from devstack.testing.mysql import TestMysql
from lib.db.mysql_session import connect_arguments


class MysqlReplica:
    """The replica, as `devstack.testing.standby.Standby` is one of PostgreSQL."""

    def __init__(self, primary: TestMysql, server: TestMysql) -> None:
        self._primary = primary
        self._server = server

    def follow(self) -> None:
        """Begin with the first entry of the primary's log: both are new."""
        to = urlsplit(self._primary.url)
        self._run(
            f"CHANGE MASTER TO master_host = '127.0.0.1', master_port = {to.port}, "
            f"master_user = '{to.username}', master_password = '{to.password}', "
            "master_connect_retry = 1, master_use_gtid = slave_pos",
            "SET GLOBAL read_only = ON",
            "START SLAVE",
        )

    def url(self, database: str) -> str:
        """Return the administrator's URL of a database."""
        return urlsplit(self._server.url)._replace(path=f"/{database}").geturl()

    def pause(self) -> None:
        """Stop repeating; what the primary writes from now on is not seen here."""
        self._run("STOP SLAVE SQL_THREAD")

    def resume(self) -> None:
        """Go on repeating."""
        self._run("START SLAVE SQL_THREAD")

    @contextmanager
    def behind(self, milliseconds: int) -> Iterator[None]:
        """Pause it for this long again and again while the block runs."""
        over = threading.Event()

        def halt() -> None:
            while not over.is_set():
                self.pause()
                over.wait(milliseconds / 1000)
                self.resume()
                over.wait(milliseconds / 1000)

        halting = threading.Thread(target=halt)
        halting.start()
        try:
            yield
        finally:
            over.set()
            halting.join()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._server.kill()

    def start(self) -> None:
        """Start it again, same port and data; it follows by itself."""
        self._server.start()

    def _run(self, *statements: str) -> None:
        arguments = connect_arguments(self._server.url, connect_seconds=30, statement_seconds=60)
        arguments.pop("db")
        with pymysql.connect(**arguments) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def running(migrations_root: Path) -> Iterator[tuple[TestMysql, MysqlReplica]]:
    """Run both in directories that are removed with them; skips where none is installed."""
    with (
        mysql.running(migrations_root, options=["--log-bin=log", "--server-id=1"]) as primary,
        mysql.running(migrations_root, options=["--server-id=2", "--read-only=ON"]) as server,
    ):
        replica = MysqlReplica(primary, server)
        replica.follow()
        yield primary, replica
