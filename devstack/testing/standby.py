"""Streaming standbys of an embedded PostgreSQL: hot and asynchronous, made by `pg_basebackup`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from devstack.embedded.account import hand_over, unprivileged
from devstack.embedded.ports import free_port
from devstack.embedded.postgres import DISPOSABLE, Instance, Server, binary
from devstack.testing.killable import folder


class Standby:
    """A standby. `pause` keeps it behind the primary; a test can `kill` it and `start` it again."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def url(self, database: str) -> str:
        """Return the superuser's URL of a database; the session can only read."""
        return self._server.instance.url(database)

    def pause(self) -> None:
        """Pause the replay: later writes on the primary do not appear here."""
        self._run("SELECT pg_wal_replay_pause()")

    def resume(self) -> None:
        """Continue the replay."""
        self._run("SELECT pg_wal_replay_resume()")

    @contextmanager
    def behind(self, milliseconds: int) -> Iterator[None]:
        """While the block runs, replay each commit only when it has this age."""
        self._delay(milliseconds)
        try:
            yield
        finally:
            self._delay(0)

    def replayed(self) -> str:
        """Return the log position up to which the standby has replayed."""
        return self._run("SELECT pg_last_wal_replay_lsn()::text")

    def kill(self) -> None:
        """End the standby as `kill -9` does."""
        self._server.kill()

    def start(self) -> None:
        """Start the standby with the same port and data."""
        self._server.start()

    def _delay(self, milliseconds: int) -> None:
        self._run(f"ALTER SYSTEM SET recovery_min_apply_delay = {milliseconds}")
        self._run("SELECT pg_reload_conf()")

    def _run(self, statement: str) -> str:
        url = self._server.instance.url()
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(statement.encode())
            row = found.fetchone() if found.description else None
            return str(row[0]) if row else ""


@contextmanager
def standby_of(primary: Instance) -> Iterator[Standby]:
    """Run a standby of a running server in a temporary directory."""
    with folder("standby") as home:
        hand_over(home, unprivileged())
        instance = Instance(home / "data", free_port(), primary.password, DISPOSABLE)
        _copy(primary, instance.data)
        with Server(instance) as server:
            yield Standby(server)


def _copy(primary: Instance, data: Path) -> None:
    account = unprivileged()
    command = [
        str(binary("pg_basebackup")), "--pgdata", str(data), "--write-recovery-conf", "--no-sync",
        "--checkpoint=fast", "--wal-method=stream", "--host=127.0.0.1", f"--port={primary.port}",
        "--username=postgres", "--no-password",
    ]  # fmt: skip
    result = subprocess.run(
        command,
        capture_output=True, text=True, check=False, cwd=data.parent,
        env={**os.environ, "PGPASSWORD": primary.password},
        user=account.uid if account else None, group=account.gid if account else None,
        extra_groups=[] if account else None,
    )  # fmt: skip
    if result.returncode:
        raise RuntimeError(f"pg_basebackup failed: {result.stderr.strip()}")
