"""Start child processes that end when this process ends, even if this process is killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from devstack.embedded.account import Account

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# Loaded here: between fork and exec nothing may import or allocate more than it must.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child(Protocol):
    """The methods of `Popen` that the stack uses."""

    @property
    def pid(self) -> int: ...  # noqa: D102 - as of Popen
    @property
    def returncode(self) -> int | None: ...  # noqa: D102 - as of Popen
    @property
    def stdout(self) -> IO[bytes] | None: ...  # noqa: D102 - as of Popen
    def poll(self) -> int | None: ...  # noqa: D102 - as of Popen
    def wait(self, timeout: float | None = None) -> int: ...  # noqa: D102 - as of Popen
    def send_signal(self, number: int, /) -> None: ...  # noqa: D102 - as of Popen
    def kill(self) -> None: ...  # noqa: D102 - as of Popen


def dies_with_parent(death_signal: signal.Signals, parent: int | None = None) -> Callable[[], None]:
    """Return a `preexec_fn` that makes the kernel send `death_signal` when the parent ends.

    The parent is this process, unless `parent` names another process.

    The function runs after the change of account, because that change would make the kernel forget
    the signal.
    """
    expected = parent or os.getpid()

    def ask() -> None:
        if _LIBC is not None:
            _LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != expected:  # it died in between
                os._exit(1)

    return ask


def spawn(
    command: Sequence[str],
    *,
    log: IO[bytes] | int,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` in its own session, so that Ctrl-C signals only the stack.

    Call this function from a thread that runs as long as the child: for the kernel, the end of this
    thread is the end of the parent.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=None if env is None else dict(env),
        cwd=cwd,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=dies_with_parent(death_signal),  # noqa: PLW1509 - one prctl call, no locks taken
    )


def adopt_orphans(wanted: bool) -> None:
    """Make this process adopt orphaned grandchildren, or stop adopting orphaned grandchildren."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)


def kill_group(process: Child) -> None:
    """Kill the remaining processes in the session of an ended child, such as NGINX workers."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def stop(process: Child, *, by: signal.Signals = signal.SIGTERM, within: float) -> None:
    """Send the signal `by` to a child; kill the child if it still runs `within` seconds later.

    When this function returns, the child has ended.
    """
    if process.poll() is not None:
        return  # long gone, perhaps: its number may be another's by now
    process.send_signal(by)
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    kill_group(process)
