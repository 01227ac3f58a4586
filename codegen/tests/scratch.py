"""Temporary files of tests are in memory if possible, because there are thousands of files.

On a disk, creating and removing them takes half of the system's CPU time.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 6 << 30  # bytes; four workers take a third of that
PREFIX: Final = "tests-"
YOUNG: Final = 60.0  # seconds in which a run takes hold of its folder
# Where pytest has the tests' own folders: on the disk, for what a failed test has left behind.
KEPT: Final = "PYTEST_DEBUG_TEMPROOT"


def has_room(memory: Path, room: int) -> bool:
    """Return whether the folder is writable for all, can run programs, and has this much space."""
    try:
        there = os.statvfs(memory)
    except OSError:
        return False
    free = min(there.f_bavail * there.f_frsize, _available())
    return os.access(memory, os.W_OK) and not there.f_flag & os.ST_NOEXEC and free >= room


@contextmanager
def in_memory(memory: Path = MEMORY, room: int = ROOM) -> Iterator[Path | None]:
    """Store temporary files of this process and its children in memory for a while.

    If the user has set `TMPDIR`, files stay there. Files that killed runs have left in memory are
    removed first; otherwise they would stay until a reboot.
    """
    _sweep(memory)
    if "TMPDIR" in os.environ or not has_room(memory, room):
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_SH)  # shared with the servers that open the way to their data
    folder.chmod(0o1777)  # servers that root has demoted write here, too
    places = {
        "TMPDIR": folder,
        "AIOSQLC_CACHE_DIR": folder / "aiosqlc",
        KEPT: tempfile.gettempdir(),
    }
    ours = {name: str(place) for name, place in places.items() if name not in os.environ}
    os.environ.update(ours)
    tempfile.tempdir = None  # it reads the environment again
    try:
        yield folder
    finally:
        for name in ours:
            os.environ.pop(name, None)
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _available() -> int:
    """Return how many bytes of memory are available, or none if the system does not report it."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    said = dict(line.split(":", 1) for line in lines)
    return int(said["MemAvailable"].split()[0]) * 1024


def _sweep(memory: Path) -> None:
    """Remove this account's folders that no process uses."""
    for folder in memory.glob(f"{PREFIX}*"):
        try:
            found = folder.stat()
            if found.st_uid != os.getuid() or time.time() - found.st_mtime < YOUNG:
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # a run that goes on
        finally:
            os.close(lock)
