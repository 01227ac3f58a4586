"""List a log and its rotated files."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

from observability.nginx_exporter.tracks import Ident

_NOT_LOGS: Final = (".gz", ".bz2", ".xz", ".zst", ".json", ".tmp", ".lock", ".swp", "~")


class Found(NamedTuple):
    """A file in the log's directory."""

    path: str
    ident: Ident
    stamp: tuple[int, int]
    """The size and modification time. The content is unchanged while size and time are unchanged.
    """


def find(log: Path) -> tuple[Found | None, list[Found]]:
    """Return the log, if it exists, and its rotated files `<log>.…` and `<log>-…`.

    If the log is a symbolic link, the files beside its target count too, because the target is the
    file that is rotated. Only regular files count. Compressed files are skipped, because they
    cannot be read.
    """
    before = _found(log)
    siblings: dict[Ident, Found] = {}
    for path in dict.fromkeys((log, Path(os.path.realpath(log)))):
        for rotated in _rotated(path):
            if (found := _found(rotated)) is not None:
                siblings[found.ident] = found
    current = _found(log)
    if current and not (before and before.ident == current.ident):
        return find(log)  # Rotated meanwhile: one of the logs may have been missed.
    if current is not None:
        siblings.pop(current.ident, None)
    return current, list(siblings.values())


def is_rotated(path: Path, log: Path) -> bool:
    """Return whether the name belongs to a readable rotated file of `log`."""
    beside = path.parent == log.parent and not path.name.endswith(_NOT_LOGS)
    return beside and path.name.startswith((log.name + ".", log.name + "-"))


def _rotated(log: Path) -> list[Path]:
    try:
        return [path for path in log.parent.iterdir() if is_rotated(path, log)]
    except OSError:
        return []


def _found(path: Path) -> Found | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        return None
    return Found(str(path), (seen.st_dev, seen.st_ino), (seen.st_size, seen.st_mtime_ns))
