"""The stored state of a log file: its identity, its beginning and its counted length."""

from __future__ import annotations

import os
from typing import Annotated, Final

import msgspec

HEAD_BYTES: Final = 512
"""The number of leading bytes that identify a log file, whose lines have times and IDs."""

Ident = tuple[int, int]
"""Device and inode."""


def is_distinctive(head: bytes) -> bool:
    """Return whether the first bytes of a file are enough to identify the file."""
    return b"\n" in head or len(head) >= HEAD_BYTES


class Track(msgspec.Struct):
    """One file's content. A `copy` repeats the lines of another file and is not counted itself."""

    device: int
    inode: int
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    head: bytes = b""
    copy: bool = False
    inside: bool = False
    """True if the reading position is inside a too long line whose beginning is already counted."""

    @property
    def ident(self) -> Ident:
        """Device and inode."""
        return self.device, self.inode

    def still(self, head: bytes, size: int) -> bool:
        """Return whether a file with this beginning and size still contains all counted lines."""
        return size >= max(self.offset, len(self.head)) and head.startswith(self.head)

    def begins(self, head: bytes) -> bool:
        """Return whether `head` and the track's head agree on their common length, at least 1."""
        known = min(len(self.head), len(head))
        return known > 0 and self.head[:known] == head[:known]

    def is_original(self) -> bool:
        """Return whether the file is counted and identifiable, so that copies are recognized."""
        return is_distinctive(self.head) and not self.copy


class LogState(msgspec.Struct, rename={"unclaimed": "orphans"}):
    """The state with which a follower resumes. Counts are totals since the first start."""

    path: str
    current: Ident | None = None
    tracks: list[Track] = []
    unclaimed: list[Track] = []
    """The contents of truncated files of which no copy was found yet."""
    bytes_read: int = 0
    rotations: int = 0
    truncations: int = 0
    lost_files: int = 0
    last_line: float | None = None


class Opened:
    """An open file. The open descriptor identifies the file, even if the file is renamed."""

    def __init__(self, path: str) -> None:
        """Open the file for reading. Raises OSError. A device or a pipe also raises OSError."""
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        stat = os.fstat(self.fd)
        self.ident: Ident = (stat.st_dev, stat.st_ino)
        self.quiet_since = 0.0

    def size(self) -> int:
        """Return the current size in bytes."""
        return os.fstat(self.fd).st_size

    def head(self) -> bytes:
        """Return the current first bytes of the file."""
        return os.pread(self.fd, HEAD_BYTES, 0)

    def read(self, offset: int, size: int) -> bytes:
        """Read up to `size` bytes at `offset`."""
        return os.pread(self.fd, size, offset)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)
