"""A private server for one run: started from the system's binaries, its data kept as a cache.

Every run takes a slot, a data directory that no other run is using, and talks to its server over a
socket in a folder of its own. Nothing outlives its owner: on Linux the kernel stops the server when
we die.
"""

from __future__ import annotations

import atexit
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SLOTS = 16
_MARIADB_INSTALL = "mariadb-install-db"
_BOOT_SECONDS = 30.0
_STOP_SECONDS = 5.0
# Loaded here: between fork and exec nothing may import or allocate more than it must.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
# Nothing here is worth a disk flush: a broken data directory is thrown away and made again.
_SETTINGS = (
    "--skip-networking",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-fast-shutdown=2",
    "--innodb-buffer-pool-size=24M",
    "--performance-schema=OFF",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--lower-case-table-names=0",
    "--event-scheduler=OFF",
    "--log-bin-trust-function-creators=1",
)
# Files of its own outside of its folder, and a second listener, that only MySQL has.
_MYSQL_SETTINGS = ("--mysqlx=OFF", "--secure-file-priv=")


class NoServerError(Exception):
    """No server can be started here; the text says why."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one installation. `install` is None where the server initialises itself."""

    server: str
    install: str | None

    @property
    def flavour(self) -> str:
        """`mariadb` or `mysql`: one cannot read the other's data."""
        return "mariadb" if self.install else "mysql"


def find_binaries(kin: str = "") -> Binaries | None:
    """Look for `mariadbd` or `mysqld` on the PATH and where Debian puts servers.

    Where both are installed `kin` chooses, `mysql` or `mariadb`, and MariaDB without it.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = []
    mariadb, install = (shutil.which(name, path=path) for name in ("mariadbd", _MARIADB_INSTALL))
    if mariadb and install:
        found.append(Binaries(mariadb, install))
    mysql = shutil.which("mysqld", path=path)
    if mysql and (kin == "mysql" or not found) and not _is_mariadb(mysql):
        found.append(Binaries(mysql, None))
    return next((b for b in found if b.flavour == kin), found[0] if found else None)


def _is_mariadb(server: str) -> bool:
    """Debian's MariaDB calls itself `mysqld` too."""
    if Path(server).resolve().name == "mariadbd":
        return True
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=False)
    return "mariadb" in said.stdout.lower()


class PrivateServer:
    """A running server; `socket` is how to reach it."""

    def __init__(self, binaries: Binaries, cache: Path) -> None:
        self._binaries = binaries
        self._lock, self.home = _take_slot(cache)
        self._run = Path(tempfile.mkdtemp(prefix="aiosqlc-"))
        self.socket = str(self._run / "sock")
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    @property
    def running(self) -> bool:
        """Whether the server process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop the server and give the slot back; stopping twice is harmless."""
        atexit.unregister(self.stop)
        if self._process is not None:
            _end(self._process)
            self._process = None
        shutil.rmtree(self._run, ignore_errors=True)
        self._lock.close()

    def _start(self) -> None:
        data = self.home / "data"
        if not (self.home / "ready").exists():
            shutil.rmtree(data, ignore_errors=True)
            _install(self._binaries, data, self._run / "install.log")
            (self.home / "ready").touch()
        try:
            self._boot(data)
        except NoServerError:
            # The last run may have been killed half-way: the data is a cache, so begin again once.
            shutil.rmtree(data, ignore_errors=True)
            _install(self._binaries, data, self._run / "install.log")
            self._boot(data)

    def _boot(self, data: Path) -> None:
        log = self._run / "server.log"
        command = [
            self._binaries.server,
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={self.socket}",
            f"--pid-file={self._run / 'pid'}",
            # Not /tmp: a starting server removes there what it takes for its own of last time.
            f"--tmpdir={self._run}",
            *_as_root(),
            *_SETTINGS,
            *(_MYSQL_SETTINGS if self._binaries.flavour == "mysql" else ()),
        ]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_dies_with_us(),  # noqa: PLW1509 - one prctl call, no locks taken
            )
        deadline = time.monotonic() + _BOOT_SECONDS
        while b"ready for connections" not in log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                _end(self._process)
                raise NoServerError(f"{self._binaries.server} did not start: {_last_words(log)}")
            time.sleep(0.01)


def _take_slot(cache: Path) -> tuple[IO[bytes], Path]:
    if importlib.util.find_spec("fcntl") is None:  # Windows
        raise NoServerError("a private server needs Linux or macOS")
    import fcntl

    for number in range(_SLOTS):
        home = cache / f"slot-{number}"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (home / "lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return lock, home
    raise NoServerError(f"all {_SLOTS} data directories in {cache} are in use")


def _install(binaries: Binaries, data: Path, log: Path) -> None:
    if binaries.install:
        command = [
            binaries.install,
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            *_as_root(),
        ]
    else:
        command = [
            binaries.server,
            "--no-defaults",
            f"--datadir={data}",
            "--initialize-insecure",
            "--secure-file-priv=",
            *_as_root(),
        ]
    with log.open("wb") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise NoServerError(f"{command[0]} failed: {_last_words(log)}")


def _as_root() -> list[str]:
    """Root must say that it means it: the server is reachable by nobody but us."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _dies_with_us() -> Callable[[], None]:
    parent = os.getpid()

    def ask() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
            if os.getppid() != parent:  # it died in between
                os._exit(1)

    return ask


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_words(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-2:]) or "it said nothing"
    return "it said nothing"
