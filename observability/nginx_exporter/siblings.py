"""Lists a log and the files it was rotated to."""

from __future__ import annotations

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
    """Size and time of the last change: while both stand still, so does the content."""


def find(log: Path) -> tuple[Found | None, list[Found]]:
    """The log itself, if it is there, and its rotated siblings `<log>.…` and `<log>-…`.

    Only plain files count; compressed ones cannot be read and are left out.
    """
    current = _found(log)
    try:
        names = [entry.name for entry in log.parent.iterdir()]
    except OSError:
        names = []
    prefixes = (log.name + ".", log.name + "-")
    siblings: dict[Ident, Found] = {}
    for name in names:
        if name.startswith(prefixes) and not name.endswith(_NOT_LOGS):
            found = _found(log.parent / name)
            if found is not None and (current is None or found.ident != current.ident):
                siblings[found.ident] = found
    return current, list(siblings.values())


def _found(path: Path) -> Found | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        return None
    return Found(str(path), (seen.st_dev, seen.st_ino), (seen.st_size, seen.st_mtime_ns))
