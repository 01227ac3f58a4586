"""What tests throw away is in memory where there is room: files of databases are made by thousands.

On a disk, half of the processor time that the system takes goes into making and removing them.
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
    """Say whether the folder is there for everybody, runs programs and has so many bytes left."""
    try:
        there = os.statvfs(memory)
    except OSError:
        return False
    free = min(there.f_bavail * there.f_frsize, _available())
    return os.access(memory, os.W_OK) and not there.f_flag & os.ST_NOEXEC and free >= room


@contextmanager
def in_memory(memory: Path = MEMORY, room: int = ROOM) -> Iterator[Path | None]:
    """Keep temporary files in memory for a while, ours and those of whom we start.

    Who has set `TMPDIR` wants them elsewhere. What killed runs have left in memory goes first: it
    would stay until the machine is started again.
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
    """Return how many bytes of memory can be taken, or none where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    said = dict(line.split(":", 1) for line in lines)
    return int(said["MemAvailable"].split()[0]) * 1024


def _sweep(memory: Path) -> None:
    """Remove our account's folders that nobody holds."""
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
