"""Read each file once. The content is cached until the file's size, times or inode change."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from aiosqlc.store.digest import digest
from aiosqlc.store.memo import Recent

Signature = tuple[int, int, int, int]

_MOST = 10_000
_SETTLED = 100_000_000  # ns; a more recently changed file may change again within one clock tick


class _Content(Struct, frozen=True, dict=True):
    """The content of a file."""

    data: bytes

    @cached_property
    def digest(self) -> str:
        return digest(self.data)


_contents: Recent[tuple[str, Signature], _Content] = Recent(_MOST)


_unsaved: Mapping[str, bytes] = {}
_unsaved_names: tuple[str, ...] = ()  # names without folders, for a fast negative test


def show_unsaved(texts: Mapping[str, bytes]) -> None:
    """Use unsaved texts of an editor, by absolute path, in place of the files.

    The texts are used until the next call.
    """
    global _unsaved, _unsaved_names  # noqa: PLW0603  # there is one disk
    _unsaved = dict(texts)
    _unsaved_names = tuple(set(map(os.path.basename, texts)))


_within: tuple[str, ...] = ()  # the real path of the only folder from which files are read


@contextmanager
def only_within(folder: Path) -> Iterator[None]:
    """Read only files whose real path is in a folder and not in its `.git`.

    Otherwise, a pull request could contain a link to a file of the machine that checks it, and the
    report would quote that file.
    """
    global _within  # noqa: PLW0603  # there is one disk
    before, _within = _within, (os.path.realpath(folder),)
    try:
        yield
    finally:
        _within = before


def repository_of(folder: Path) -> Path | None:
    """Return the top folder of the git repository that contains a folder, or None."""
    here = Path(os.path.abspath(folder))  # noqa: PTH100  # links stay: a link may lead elsewhere
    return next((top for top in (here, *here.parents) if (top / ".git").exists()), None)


def _outside(path: Path) -> bool:
    real = os.path.realpath(path)
    return any(
        not real.startswith(os.path.join(top, ""))  # noqa: PTH118
        or real.startswith(os.path.join(top, ".git", ""))  # noqa: PTH118  # tokens are stored there
        for top in _within
    )


def _unsaved_text(path: Path) -> bytes | None:
    if not str(path).endswith(_unsaved_names):
        return None
    return _unsaved.get(os.path.abspath(path))  # noqa: PTH100  # also resolves `..`


def signature(path: Path) -> Signature | None:
    """Return a file's size, times and inode, which change when it is written, or None."""
    try:
        found = os.stat(path)  # noqa: PTH116  # hundreds of calls per keystroke
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises OSError if the file cannot be read, also if `only_within` excludes it.
    """
    return _read(path).data


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex, or empty text if it is unreadable."""
    try:
        return _read(path).digest
    except OSError:
        return ""


def _read(path: Path) -> _Content:
    if _outside(path):
        raise PermissionError(
            errno.EACCES, "its real path is outside the repository: add the file itself instead"
        )
    unsaved = _unsaved_text(path)
    if unsaved is not None:
        return _Content(unsaved)
    now = signature(path)
    known = _contents.get((str(path), now)) if now else None
    if known:
        return known
    found = _Content(path.read_bytes())
    if now and time.time_ns() - max(now[0], now[1]) > _SETTLED:
        _contents.put((str(path), now), found)
    return found


def written(path: Path, data: bytes) -> None:
    """Record the content of a file that this process has just written."""
    now = signature(path)
    if now:
        _contents.put((str(path), now), _Content(data))
