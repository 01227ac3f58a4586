"""Reads each file once: what is known of it holds until its size, times or inode differ."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Signature = tuple[int, int, int, int]

_MOST = 10_000
_SETTLED = 100_000_000  # ns; a younger file may change again within one tick of the file system
_contents: dict[Path, tuple[Signature, bytes]] = {}
_digests: dict[Path, tuple[Signature, str]] = {}


_unsaved: Mapping[str, bytes] = {}


def show_unsaved(texts: Mapping[str, bytes]) -> None:
    """Take these texts, by absolute path, for the contents of files: an editor has not saved them.

    They hold until others are named.
    """
    global _unsaved  # noqa: PLW0603  # there is one disk
    _unsaved = dict(texts)


def _unsaved_text(path: Path) -> bytes | None:
    return _unsaved.get(os.path.abspath(path)) if _unsaved else None  # noqa: PTH100  # `..` goes too


def signature(path: Path) -> Signature | None:
    """Return what changes whenever a file is written; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises OSError where it cannot be read.
    """
    unsaved = _unsaved_text(path)
    if unsaved is not None:
        return unsaved
    now = signature(path)
    known = _contents.get(path)
    if known and known[0] == now:
        return known[1]
    data = path.read_bytes()
    if now and _settled(now):
        _keep(_contents, path, (now, data))
    return data


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex; empty where it cannot be read."""
    unsaved = _unsaved_text(path)
    if unsaved is not None:
        return digest(unsaved)
    now = signature(path)
    known = _digests.get(path)
    if known and known[0] == now:
        return known[1]
    try:
        found = digest(read_bytes(path))
    except OSError:
        return ""
    if now and _settled(now):
        _keep(_digests, path, (now, found))
    return found


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hex."""
    return hashlib.sha256(data).hexdigest()


def _settled(found: Signature) -> bool:
    return time.time_ns() - max(found[0], found[1]) > _SETTLED


def _keep(memory: dict[Path, tuple[Signature, T]], path: Path, known: tuple[Signature, T]) -> None:
    if len(memory) > _MOST:
        memory.clear()
    memory[path] = known
