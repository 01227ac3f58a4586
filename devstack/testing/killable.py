"""A server for one test, which can be killed, frozen and started again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from redis.exceptions import RedisError

from devstack.embedded import children
from devstack.embedded.account import Account

_READY_SECONDS: Final = 120.0
# A child ends with the thread that started it, and those of `asyncio.to_thread` end with a test.
_SPAWNER: Final = ThreadPoolExecutor(max_workers=1)


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """Yield a folder. At the end of the block, stop the processes in it and remove it."""
    home = Path(tempfile.mkdtemp(prefix=f"test-{name}-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


class Killable:
    """The common part of such servers; each class has its own `start()`."""

    __test__ = False
    _process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Return whether the server was started and not killed since."""
        return self._process is not None

    def kill(self) -> None:
        """End the server as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze the server while the block runs; its connections stay open."""
        assert self._process is not None  # noqa: S101 - only a running server can hang
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _spawn(
        self,
        line: Sequence[str],
        log: IO[bytes] | int = subprocess.DEVNULL,
        *,
        account: Account | None = None,
    ) -> None:
        spawned = _SPAWNER.submit(children.spawn, line, log=log, account=account)
        self._process = spawned.result()


def until(reached: Callable[[], bool], what: str, *, within: float = _READY_SECONDS) -> None:
    """Wait for a condition; raises RuntimeError if this takes longer than `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            if reached():
                return
        except (RedisError, OSError):
            pass  # not yet
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come about in {within:.0f} s")
        time.sleep(0.02)
