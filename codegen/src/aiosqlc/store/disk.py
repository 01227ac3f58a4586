"""Read each file once. The content is cached until size, times or inode change."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Signature = tuple[int, int, int, int]

_MOST = 10_000
_SETTLED = 100_000_000  # ns; a younger file may change again within one tick of the file system


@dataclass(frozen=True)
class _Content:
    """The content of a file with a given signature."""

    seen: Signature | None
    data: bytes

    @cached_property
    def digest(self) -> str:
        return digest(self.data)


_contents: dict[str, _Content] = {}


_unsaved: Mapping[str, bytes] = {}
_unsaved_names: tuple[str, ...] = ()  # without their folders: most files are told by that


def show_unsaved(texts: Mapping[str, bytes]) -> None:
    """Use these texts by absolute path instead of the files, because an editor has not saved them.

    They hold until others are named.
    """
    global _unsaved, _unsaved_names  # noqa: PLW0603  # there is one disk
    _unsaved = dict(texts)
    _unsaved_names = tuple(set(map(os.path.basename, texts)))


def _unsaved_text(path: Path) -> bytes | None:
    if not str(path).endswith(_unsaved_names):
        return None
    return _unsaved.get(os.path.abspath(path))  # noqa: PTH100  # `..` goes too


def signature(path: Path) -> Signature | None:
    """Return a signature that changes when a file is written, or None without a file."""
    try:
        found = os.stat(path)  # noqa: PTH116  # of hundreds, at each key that is pressed
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises OSError where it cannot be read.
    """
    return _read(path).data


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex, or empty text if it is unreadable."""
    try:
        return _read(path).digest
    except OSError:
        return ""


def _read(path: Path) -> _Content:
    unsaved = _unsaved_text(path)
    if unsaved is not None:
        return _Content(None, unsaved)
    now = signature(path)
    known = _contents.get(str(path))
    if known and known.seen == now:
        return known
    found = _Content(now, path.read_bytes())
    if now and time.time_ns() - max(now[0], now[1]) > _SETTLED:
        _keep(path, found)
    return found


def written(path: Path, data: bytes) -> None:
    """Record the content of a file that this process has just written."""
    _keep(path, _Content(signature(path), data))


def _keep(path: Path, content: _Content) -> None:
    if len(_contents) > _MOST:
        _contents.clear()
    if content.seen:
        _contents[str(path)] = content


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hex."""
    return hashlib.sha256(data).hexdigest()
