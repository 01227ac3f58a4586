"""Select the account that runs the embedded PostgreSQL, which does not run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct

from aiosqlc.servers.private import NoServerError

_NAME = "pgserver"  # the name that the wheel uses


class Account(Struct, frozen=True):
    """The account that runs the server if the compiler runs as root."""

    uid: int
    gid: int

    @property
    def process(self) -> dict[str, Any]:
        """Return the `subprocess` arguments to run a program under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def closed(self, path: Path) -> Path | None:
        """Return the outermost parent folder of `path` that this account cannot enter."""
        for folder in reversed(path.resolve().parents):
            about = folder.stat()
            bit = 0o001
            if about.st_uid == self.uid:
                bit = 0o100
            elif about.st_gid == self.gid:
                bit = 0o010
            if not about.st_mode & bit:
                return folder
        return None


def server_account(name: str = _NAME) -> Account | None:
    """Return the server's account, which is created if necessary, or None for the current one.

    Raises `NoServerError` if the account cannot be created.
    """
    if os.geteuid() != 0:
        return None
    import pwd  # missing on Windows, where this code does not run

    try:
        found = pwd.getpwnam(name)
    except KeyError:
        _create(name)
        found = pwd.getpwnam(name)
    return Account(found.pw_uid, found.pw_gid)


def _create(name: str) -> None:
    """Create a system account, unless another process has created it meanwhile.

    If two processes run `useradd` for one name at the same time, both succeed, and the second user
    ID replaces the first.
    """
    import fcntl  # missing on Windows, where this code does not run
    import pwd

    # The lock is on the folder, because `useradd` replaces the file `passwd`.
    folder = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if name in {entry.pw_name for entry in pwd.getpwall()}:
            return
        done = subprocess.run(
            ["useradd", "--system", "--shell", "/bin/sh", name],  # noqa: S607 - found on PATH
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(folder)
    if done.returncode != 0:
        msg = f"cannot create the account {name!r} to run PostgreSQL: {done.stderr.strip()}"
        raise NoServerError(msg)


def hand_over(data: Path, account: Account | None) -> None:
    """Change the owner of a data directory to the account.

    The parent folders keep their permissions.

    Raises `NoServerError` if the account could not access the directory.
    """
    if account is None:
        return
    if folder := account.closed(data):
        msg = (
            f"{folder} is not accessible to the account {_NAME!r}, which runs PostgreSQL for root:"
            " set AIOSQLC_CACHE_DIR to a folder that the account can access"
        )
        raise NoServerError(msg)
    os.chown(data, account.uid, account.gid)


def reachable(programs: Path, cache: Path, account: Account | None) -> Path:
    """Return the folder `programs`, or a copy in `cache` if the account cannot read the folder.

    `programs` is the `bin` folder of an installation. The programs' libraries are in a folder
    beside `bin`.
    """
    if account is None or account.closed(programs / "postgres") is None:
        return programs
    installation = programs.parent
    stamp = f"{installation.resolve()} {(programs / 'postgres').stat().st_mtime_ns}"
    copy = cache / f"programs-{sha256(stamp.encode()).hexdigest()[:12]}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix="programs-", dir=cache))
        package = installation.parent
        for source in (installation, package.with_name(f"{package.name}.libs")):
            if source.exists():
                target = draft / source.relative_to(package.parent)
                shutil.copytree(source, target, copy_function=_link_or_copy, symlinks=True)
        draft.chmod(0o755)
        try:
            draft.rename(copy)
        except OSError:  # another process created the copy first
            shutil.rmtree(draft, ignore_errors=True)
    return copy / programs.relative_to(installation.parent.parent)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
