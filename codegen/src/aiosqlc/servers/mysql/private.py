"""A private MySQL or MariaDB server, run from installed binaries on a Unix socket only."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from aiosqlc.servers.private import NoServerError, install, running, slot

_MARIADB_INSTALL = "mariadb-install-db"
# Disk flushes are disabled, because a broken data directory is simply created again.
_SETTINGS = (
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
_SOCKET_ONLY = ("--skip-networking",)
# A server whose data are in memory need not wait until definitions are on the disk.
_LENT = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--loose-sync-frm=OFF",
    "--loose-innodb-flush-method=nosync",
    "--loose-innodb-log-file-size=8M",
)
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it belongs to this account
_ENOUGH = 1 << 30  # free bytes of memory for a server's data
# Settings of MySQL alone: no second listener, and no files outside of its folder.
_MYSQL_SETTINGS = ("--mysqlx=OFF", "--secure-file-priv=")


class Binaries(Struct, frozen=True):
    """The server programs of one installation of MySQL or MariaDB.

    `install` is None if the server program itself initialises the data directory.
    """

    server: str
    install: str | None

    @property
    def flavour(self) -> str:
        """Return the kind of the server, `mariadb` or `mysql`.

        A server of one kind cannot read the data of the other kind.
        """
        return "mariadb" if self.install else "mysql"


def find_binaries(kin: str = "") -> Binaries | None:
    """Look for `mariadbd` or `mysqld` on the PATH and in Debian's folder.

    If both are installed, `kin` selects `mysql` or `mariadb`. The default is MariaDB.
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
    """Return whether a program is MariaDB, which Debian also names `mysqld`."""
    if Path(server).resolve().name == "mariadbd":
        return True
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=False)
    return "mariadb" in said.stdout.lower()


class PrivateServer:
    """A running server with the path of its `socket`."""

    def __init__(self, binaries: Binaries, cache: Path) -> None:
        with contextlib.ExitStack() as stack:
            home = stack.enter_context(slot(cache))
            run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiosqlc-")))
            self.socket = str(run / "sock")
            if not (home / "ready").exists():
                _install(binaries, home, run)
            try:
                process = stack.enter_context(_booted(binaries, home, run))
            except NoServerError:
                # The last run may have been killed during the installation, so it starts again.
                _install(binaries, home, run)
                process = stack.enter_context(_booted(binaries, home, run))
            self._process = process
            self._stack = stack.pop_all()
        atexit.register(self.stop)

    @property
    def running(self) -> bool:
        """Return whether the server process is running."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Stop the server and unlock its data folder; a second call has no effect."""
        atexit.unregister(self.stop)
        self._stack.close()


def _booted(
    binaries: Binaries, home: Path, run: Path, settings: Sequence[str] = _SOCKET_ONLY
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    log = run / "server.log"
    command = [
        binaries.server,
        "--no-defaults",
        f"--datadir={home / 'data'}",
        f"--socket={run / 'sock'}",
        f"--pid-file={run / 'pid'}",
        # Not /tmp, where a starting server deletes files that look like its own.
        f"--tmpdir={run}",
        *_as_root(),
        *_SETTINGS,
        *settings,
        *(_MYSQL_SETTINGS if binaries.flavour == "mysql" else ()),
    ]
    return running(
        command,
        log,
        lambda _: b"ready for connections" in log.read_bytes(),
        [signal.SIGTERM],
        # At once, because the slot is free and the data may be created again.
        orphaned=signal.SIGKILL,
    )


@contextlib.contextmanager
def lent_server(binaries: Binaries) -> Iterator[str]:
    """Run a server with new data for other programs; yield its URL, without a database.

    The server listens on 127.0.0.1 and requires a random password. Its data are in memory if enough
    is free. Raises `NoServerError` if the server does not start.
    """
    with contextlib.ExitStack() as stack:
        run = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiosqlc-")))
        memory = _own_folder_in_memory()
        # A slot, because the next server removes the data of one that was killed.
        home = stack.enter_context(slot(memory / binaries.flavour)) if memory else run
        stack.callback(shutil.rmtree, home / "data", ignore_errors=True)
        password = secrets.token_hex(16)
        _install(binaries, home, run)
        start = run / "start.sql"
        start.touch(mode=0o600)
        start.write_text("".join(f"{line};\n" for line in _accounts(password)))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with _booted(binaries, home, run, (*_LENT, f"--port={port}", f"--init-file={start}")):
            yield f"mysql://aiosqlc:{password}@127.0.0.1:{port}"


def _own_folder_in_memory() -> Path | None:
    """Return a folder that other accounts cannot enter, or None if too little memory is free."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ENOUGH:
        return None
    folder = _MEMORY / f"aiosqlc-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return folder if own and stat.S_IMODE(found.st_mode) == 0o700 else None


def _accounts(password: str) -> Sequence[str]:
    """Return the statements that create an account for 127.0.0.1, where root has no password."""
    return (
        "DROP USER IF EXISTS root@'127.0.0.1', root@'::1'",
        f"CREATE USER aiosqlc@'127.0.0.1' IDENTIFIED BY '{password}'",
        "GRANT ALL ON *.* TO aiosqlc@'127.0.0.1' WITH GRANT OPTION",
    )


def _install(binaries: Binaries, home: Path, run: Path) -> None:
    data = home / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    command = [binaries.install or binaries.server, "--no-defaults", f"--datadir={data}"]
    if binaries.install:
        command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        command += ["--skip-name-resolve", "--innodb-log-file-size=8M"]
    else:
        command += ["--initialize-insecure", "--secure-file-priv="]
    install([*command, *_as_root()], run / "install.log")
    (home / "ready").touch()


def _as_root() -> list[str]:
    """Return the option to run the server as root, which is safe on a private socket."""
    return ["--user=root"] if os.geteuid() == 0 else []
