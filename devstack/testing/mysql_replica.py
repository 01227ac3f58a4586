"""A MariaDB server with a replica, for tests of reads from replicas."""

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
    """The replica; it has the methods of `devstack.testing.standby.Standby`."""

    def __init__(self, primary: TestMysql, server: TestMysql) -> None:
        self._primary = primary
        self._server = server

    def follow(self) -> None:
        """Replicate from the first entry of the primary's log; both servers are new."""
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
        """Pause replication: later writes on the primary do not appear here."""
        self._run("STOP SLAVE SQL_THREAD")

    def resume(self) -> None:
        """Continue replication."""
        self._run("START SLAVE SQL_THREAD")

    @contextmanager
    def behind(self, milliseconds: int) -> Iterator[None]:
        """Pause replication again and again for this time while the block runs."""
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
        """End the replica as `kill -9` does."""
        self._server.kill()

    def start(self) -> None:
        """Start the replica with the same port and data; replication continues by itself."""
        self._server.start()

    def _run(self, *statements: str) -> None:
        arguments = connect_arguments(self._server.url, connect_seconds=30, statement_seconds=60)
        arguments.pop("db")
        with pymysql.connect(**arguments) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def running(migrations_root: Path) -> Iterator[tuple[TestMysql, MysqlReplica]]:
    """Run both servers in temporary directories; skip the test if no server is installed."""
    with (
        mysql.running(migrations_root, options=["--log-bin=log", "--server-id=1"]) as primary,
        mysql.running(migrations_root, options=["--server-id=2", "--read-only=ON"]) as server,
    ):
        replica = MysqlReplica(primary, server)
        replica.follow()
        yield primary, replica
