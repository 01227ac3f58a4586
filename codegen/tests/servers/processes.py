"""The common parts of the test servers: a folder, a process, and a wait for it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

READY_SECONDS = 120.0  # a busy machine takes long to start a server


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """Yield a folder. At the end, stop its processes and remove it; other accounts may enter."""
    home = Path(tempfile.mkdtemp(prefix=f"test-{name}-"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def until(reached: Callable[[], bool], what: str, *, within: float = READY_SECONDS) -> None:
    """Wait for a condition. Raises RuntimeError if it takes longer than `within` seconds."""
    deadline = time.monotonic() + within
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come about in {within:.0f} s")
        time.sleep(0.02)
