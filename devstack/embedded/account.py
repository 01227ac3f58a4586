"""Select the account that a server runs as. PostgreSQL refuses to run as root."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import pwd
import stat
from pathlib import Path
from typing import Final

import msgspec

# The folders that another account passes through because of us, each with our lock on it.
_held: Final[dict[Path, int]] = {}
_opened: Final[set[Path]] = set()  # of them, those that it could not pass before


class Account(msgspec.Struct, frozen=True):
    """A user account of this machine that a child process can run as."""

    uid: int
    gid: int


def unprivileged() -> Account | None:
    """Return the account to run a server as, or None if this process is not root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")  # present on every Unix, owns nothing, needs no `useradd`
    return Account(entry.pw_uid, entry.pw_gid)


def hand_over(path: Path, account: Account | None) -> None:
    """Make `path` a private folder of `account`, and let the account enter the parent folders."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    if account is not None:
        os.chown(path, account.uid, account.gid)
        open_way(path)


def let_read(folder: Path) -> None:
    """Let other accounts read the folder and run its programs, regardless of the umask."""
    open_way(folder)
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        runs = stat.S_IXOTH if mode & stat.S_IXUSR else 0
        if (wanted := mode | stat.S_IROTH | runs) != mode:
            path.chmod(stat.S_IMODE(wanted))


def open_way(path: Path) -> None:
    """Let other accounts traverse the parent folders of `path` until this process ends.

    Each process that uses a folder holds a shared lock on the folder. At its end, the process that
    changed a folder's mode restores the mode, unless another process uses the folder or this
    process is killed.
    """
    if not _held:
        atexit.register(_close_ways, os.getpid())
    for folder in path.resolve().parents:
        if folder in _held:
            continue
        _held[folder] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(_held[folder], fcntl.LOCK_SH)  # waits only for who closes it just now
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            _opened.add(folder)


def _close_ways(pid: int) -> None:
    if os.getpid() != pid:
        return  # a copy of us: the way is not its own
    for folder, lock in _held.items():
        with contextlib.suppress(OSError):  # another one needs it still, or it has been removed
            if folder in _opened:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                folder.chmod(stat.S_IMODE(folder.stat().st_mode) & ~stat.S_IXOTH)
        os.close(lock)
