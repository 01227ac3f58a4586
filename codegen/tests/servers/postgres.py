"""A PostgreSQL for tests: the wheel's programs, a port of 127.0.0.1, and its own password."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from aiosqlc.servers import private
from aiosqlc.servers.postgres.account import Account, hand_over, reachable, server_account
from aiosqlc.servers.postgres.embedded import binaries
from psycopg import sql

from tests.servers.ports import free_port
from tests.servers.processes import folder

# The tests can lose this data: commits reach the system, and nothing waits for a disk.
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "1GB",
    "autovacuum": "off",
    # Shared memory would outlive a server that is killed; a file is removed with the data.
    "dynamic_shared_memory_type": "mmap",
    "scram_iterations": "1",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}
_STOPS = (signal.SIGINT, signal.SIGQUIT)


class TestPostgres:
    """A running server, whose databases tests create and drop."""

    __test__ = False

    def __init__(self, home: Path, port: int, password: str, pid: int) -> None:
        self._home, self.port, self._password, self.pid = home, port, password, pid
        self._count = 0

    def url(self, database: str = "postgres") -> str:
        """Return the superuser's URL of a database."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/{database}"

    def create_empty(self, name: str = "empty") -> str:
        """Return the URL of a new empty database."""
        self._count += 1
        database = f"{name}_{self._count}"
        # The template's files are copied: through the log it takes three times the work.
        statement = "CREATE DATABASE {} TEMPLATE template0 STRATEGY FILE_COPY"
        self._run(sql.SQL(statement).format(sql.Identifier(database)))
        return self.url(database)

    def copy(self, template: str) -> str:
        """Return the URL of a copy of a database without connections."""
        self._count += 1
        name = f"copy_{self._count}"
        statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
        source = sql.Identifier(template.rpartition("/")[2])
        self._run(sql.SQL(statement).format(sql.Identifier(name), source))
        return self.url(name)

    def drop(self, url: str) -> None:
        """End the sessions in a database of this object, and drop the database."""
        name = sql.Identifier(url.rpartition("/")[2])
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    @contextmanager
    def standby(self) -> Iterator[TestPostgres]:
        """Run a hot standby that follows this server while the block runs."""
        account = server_account()
        with folder("standby") as home:
            data = _data_folder(home, account)
            command = [
                str(_programs(home, account) / "pg_basebackup"), f"--pgdata={data}", "--no-sync",
                "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream",
                "--host=127.0.0.1", f"--port={self.port}", "--username=postgres", "--no-password",
            ]  # fmt: skip
            environ = {**os.environ, "PGPASSWORD": self._password}
            given = account.process if account else {}
            subprocess.run(command, check=True, capture_output=True, cwd="/", env=environ, **given)
            with _running(home, data, account, self._password) as standby:
                yield standby

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running() -> Iterator[TestPostgres]:
    """Run a server in a temporary folder."""
    account, password = server_account(), secrets.token_urlsafe(16)
    with folder("postgres") as home:
        data = _data_folder(home, account)
        secret = home / "password"
        secret.write_text(password)
        if account:
            os.chown(secret, account.uid, account.gid)
        command = [
            str(_programs(home, account) / "initdb"), "--no-sync", "--no-instructions",
            "--auth=scram-sha-256", f"--pwfile={secret}", "--username=postgres",
            "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", "-D", str(data),
            "--set=scram_iterations=1",
        ]  # fmt: skip
        private.install(command, home / "log", account.process if account else None)
        with _running(home, data, account, password) as server:
            yield server


@contextmanager
def _running(
    home: Path, data: Path, account: Account | None, password: str
) -> Iterator[TestPostgres]:
    port = free_port()
    command = [str(_programs(home, account) / "postgres"), "-D", str(data), "-p", str(port)]
    command += [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    given = account.process if account else None
    with private.running(
        command, home / "log", lambda _: _accepts(port, password), _STOPS,
        orphaned=_STOPS[0], account=given,
    ) as process:  # fmt: skip
        yield TestPostgres(home, port, password, process.pid)


def _data_folder(home: Path, account: Account | None) -> Path:
    data = home / "data"
    data.mkdir(mode=0o700)
    hand_over(data, account)
    return data


def _programs(home: Path, account: Account | None) -> Path:
    return reachable(binaries(), home, account)


def _accepts(port: int, password: str) -> bool:
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
