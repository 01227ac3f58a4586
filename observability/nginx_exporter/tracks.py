"""What is remembered of a log file: which one it is, how it begins, how far it was counted."""

from __future__ import annotations

import os
from typing import Annotated, Final

import msgspec

HEAD_BYTES: Final = 512
"""How much of a file's beginning tells it from another; our lines carry a time and an id."""

Ident = tuple[int, int]
"""Device and inode."""


def tells(head: bytes) -> bool:
    """Return whether a beginning is long enough to tell its file from another."""
    return b"\n" in head or len(head) >= HEAD_BYTES


class Track(msgspec.Struct):
    """One file's content. A `copy` repeats another file's lines and is not counted itself."""

    device: int
    inode: int
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    head: bytes = b""
    copy: bool = False
    inside: bool = False
    """Whether the offset is within a line too long to be read, whose beginning was counted."""

    @property
    def ident(self) -> Ident:
        """Device and inode."""
        return self.device, self.inode

    def still(self, head: bytes, size: int) -> bool:
        """Return whether a file with this head and size still holds what was counted."""
        return size >= max(self.offset, len(self.head)) and head.startswith(self.head)

    def begins(self, head: bytes) -> bool:
        """Whether `head` and ours begin the same file, as far as the shorter of them says."""
        known = min(len(self.head), len(head))
        return known > 0 and self.head[:known] == head[:known]

    def is_original(self) -> bool:
        """Whether it is counted here and can be told from others: copies may be copies of it."""
        return tells(self.head) and not self.copy


class LogState(msgspec.Struct):
    """Everything a follower needs to go on after a restart; counts are since the first start."""

    path: str
    current: Ident | None = None
    tracks: list[Track] = []
    orphans: list[Track] = []
    """Contents that were cut away and whose copy is not found yet."""
    bytes_read: int = 0
    rotations: int = 0
    truncations: int = 0
    lost_files: int = 0
    last_line: float | None = None


class Opened:
    """An open file: its identity and beginning come from the descriptor, so no rename can lie."""

    def __init__(self, path: str) -> None:
        """Opens for reading; raises OSError. A device or a pipe raises OSError as well."""
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        stat = os.fstat(self.fd)
        self.ident: Ident = (stat.st_dev, stat.st_ino)
        self.quiet_since = 0.0

    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self.fd).st_size

    def head(self) -> bytes:
        """The file's first bytes now."""
        return os.pread(self.fd, HEAD_BYTES, 0)

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`."""
        return os.pread(self.fd, size, offset)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)
