"""Extend a database's files to their sizes in production, without using space on the disk."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

from aiosqlc.postgres.planning.sizes import BLOCK, Sized
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.private import NoServerError

# The metapage of a B-tree after the page's header: the root's block and level, twice.
_ROOT = struct.Struct("=IIII")
_ROOT_AT = 24 + 8
# A page: its header, an item pointer, an index tuple, and the B-tree's data at the end.
_HEADER = struct.Struct("=QHHHHHHI")
_ITEM = struct.Struct("=I")
_TUPLE = struct.Struct("=HHHH")
_OPAQUE = struct.Struct("=IIIHH")
_LAYOUT, _NORMAL, _LEAF, _IS_ROOT = 4, 1, 1, 2
_PIVOT = 8 | 0x2000  # a tuple of 8 bytes without keys


def extend(admin: Connection, database: str, sizes: Sequence[Sized]) -> None:
    """Extend the files of a database that has had no connection yet.

    Raises `NoServerError` if a file cannot be extended.
    """
    rows = admin.rows(
        "select current_setting('data_directory'), oid, current_setting('segment_size')::text,"
        " pg_size_bytes(current_setting('segment_size')) from pg_database where datname = $1",
        (database,),
    )
    data, oid, _, segment = rows[0]
    folder = Path(str(data)) / "base" / str(oid)
    try:
        for sized in sizes:
            if sized.file:
                _extend(folder / str(sized.file), sized.size.pages * BLOCK, int(str(segment)))
                if sized.height:
                    _set_height(folder / str(sized.file), sized.height)
    except OSError as error:
        message = f"a file of the private server cannot be extended: {error.strerror}"
        raise NoServerError(message) from error


def _extend(file: Path, size: int, segment: int) -> None:
    """Extend a relation's first file, and add further files; every file but the last is full."""
    if size <= file.stat().st_size:
        return
    about = file.stat()
    os.truncate(file, min(size, segment))
    for number in range(1, -(-size // segment)):
        path = file.with_name(f"{file.name}.{number}")
        path.touch(mode=0o600)
        os.truncate(path, min(size - number * segment, segment))
        if os.geteuid() == 0:  # the server's account is another
            os.chown(path, about.st_uid, about.st_gid)


def _set_height(file: Path, height: int) -> None:
    """Set the height of an empty B-tree in its metapage, where the planner reads it.

    The planner also reads the smallest and the largest key, so each level needs one valid page. An
    inner page has a pointer to the next level, and the leaf is empty.
    """
    with file.open("r+b") as opened:
        opened.seek(_ROOT_AT)
        opened.write(_ROOT.pack(1, height, 1, height))
        opened.seek(BLOCK)
        for block, level in enumerate(range(height, -1, -1), 1):
            opened.write(_page(level, block + 1, is_root=level == height))


def _page(level: int, child: int, *, is_root: bool) -> bytes:
    """Return a page of a B-tree in which each level has only one page."""
    special = BLOCK - _OPAQUE.size
    pointer = b"" if level == 0 else _TUPLE.pack(child >> 16, child & 0xFFFF, 0, _PIVOT)
    upper = special - len(pointer)
    item = b"" if not pointer else _ITEM.pack(upper | _NORMAL << 15 | len(pointer) << 17)
    header = _HEADER.pack(0, 0, 0, _HEADER.size + len(item), upper, special, BLOCK | _LAYOUT, 0)
    flags = (_LEAF if level == 0 else 0) | (_IS_ROOT if is_root else 0)
    opaque = _OPAQUE.pack(0, 0, level, flags, 0)
    return (header + item).ljust(upper, b"\0") + pointer + opaque
