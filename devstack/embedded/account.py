"""Which account a server runs under: PostgreSQL refuses root, so root demotes it."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import msgspec


class Account(msgspec.Struct, frozen=True):
    """An account of this machine that a child process can be started as."""

    uid: int
    gid: int


def unprivileged() -> Account | None:
    """Return the account to demote a server to, or None where this process is not root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")  # present on every Unix, owns nothing, needs no `useradd`
    return Account(entry.pw_uid, entry.pw_gid)


def hand_over(path: Path, account: Account | None) -> None:
    """Make `path` a private directory of `account` and let it pass through the folders above."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    if account is not None:
        os.chown(path, account.uid, account.gid)
        open_way(path)


def let_read(folder: Path) -> None:
    """Let other accounts read the folder and run what is in it, whatever our umask made of it."""
    open_way(folder)
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        runs = stat.S_IXOTH if mode & stat.S_IXUSR else 0
        if (wanted := mode | stat.S_IROTH | runs) != mode:
            path.chmod(stat.S_IMODE(wanted))


def open_way(path: Path) -> None:
    """Let other accounts pass through, but not list, the folders above `path`."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
