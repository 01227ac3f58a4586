"""Common code of private servers: child processes with their own data, which end with the compiler.

A run uses a slot: a data directory that no other run uses. Concurrent compilers therefore share
nothing. On Linux, the kernel stops the server when the compiler dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

_BOOT_SECONDS = 30.0
_STOP_SECONDS = 10.0
_MOST_SLOTS = 1000
# Loaded here, because no import and little allocation is allowed between fork and exec, and the
# server's account may be unable to read these modules.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


class NoServerError(Exception):
    """Raised if no server is available; the text is a sentence for the user, without passwords."""


class RefusedError(NoServerError):
    """Raised if a running server refuses to read an object, such as a missing column."""


def cache_folder() -> Path:
    """Return the folder for data directories: `$AIOSQLC_CACHE_DIR`, or the user's cache.

    The account that runs PostgreSQL cannot access root's home, so root uses `/var/cache`.
    """
    named = os.environ.get("AIOSQLC_CACHE_DIR")
    if named:
        return Path(named)
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # Windows has none
        return Path("/var/cache/aiosqlc")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aiosqlc"


@contextlib.contextmanager
def slot(root: Path) -> Iterator[Path]:
    """Lock the first free folder `slot-N` in `root` until the block ends, and yield the folder.

    Raises `NoServerError` if no folder can be locked.
    """
    if importlib.util.find_spec("fcntl") is None:
        raise NoServerError("a private server needs Linux or macOS, not Windows")
    import fcntl

    for number in range(_MOST_SLOTS):
        home = root / f"slot-{number}"
        try:
            home.mkdir(exist_ok=True, parents=True)
            opened = (home / "lock").open("a")
        except OSError as error:
            msg = (
                f"cannot use the cache folder {home}: {error.strerror};"
                " set AIOSQLC_CACHE_DIR to another folder"
            )
            raise NoServerError(msg) from error
        with opened as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield home
            return
    raise NoServerError(f"the maximum number of private servers already runs in {root}")


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    ready: Callable[[int], bool],
    stops: Sequence[signal.Signals],
    *,
    orphaned: signal.Signals,
    account: Mapping[str, Any] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server; the block starts once `ready` returns true for the server's process ID.

    `stops` are the signals that end the server, each stronger than the previous signal. `orphaned`
    is the signal that the kernel sends when the compiler dies. Raises `NoServerError` if the server
    does not start.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            preexec_fn=partial(_begin, os.getpid(), orphaned),  # noqa: PLW1509  # takes no lock
            **(account or {}),
        )
    try:
        deadline = time.monotonic() + _BOOT_SECONDS
        while not ready(process.pid):
            if process.poll() is not None:
                raise NoServerError(f"{command[0]} did not start: {last_words(log)}")
            if time.monotonic() > deadline:
                raise NoServerError(f"{command[0]} was not ready in {_BOOT_SECONDS:.0f} seconds")
            time.sleep(0.002)
        yield process
    finally:
        for request in (*stops, signal.SIGKILL):
            if process.poll() is not None:
                break
            process.send_signal(request)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)


def install(command: Sequence[str], log: Path, account: Mapping[str, Any] | None = None) -> None:
    """Run the command that creates a data directory. Raises `NoServerError`."""
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            check=False,
            **(account or {}),
        )
    if done.returncode:
        raise NoServerError(f"{command[0]} failed: {last_words(log)}")


def last_words(log: Path) -> str:
    """Return the last two lines of a log, or a note that the log is empty."""
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-2:]) or "it said nothing"
    return "it said nothing"


def _begin(parent: int, orphaned: signal.Signals) -> None:
    """Make the kernel stop this process when its parent process ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(orphaned))
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)
