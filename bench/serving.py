"""Servers that are measured: started as processes, their limits out of reach, their time summed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil

ROOT = Path(__file__).resolve().parents[1]
# The limiters stay in the chain and do their work; their limits are above what a machine can ask.
OUT_OF_REACH = {
    "RATE_LIMIT": "1e9",
    "RATE_LIMIT_BURST": "1000000000",
    "USER_RATE_LIMIT": "1000000000",
    "CHAT_FRAME_RATE": "1e9",
    "CHAT_FRAME_BURST": "1000000000",
}
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def cpu_of(*pids: int) -> float:
    """Return the processor seconds that processes have used so far, with their children."""
    whole = [psutil.Process(pid) for pid in pids]
    below = [child for one in whole for child in one.children(recursive=True)]
    used = [one.cpu_times() for one in (*whole, *below)]
    return float(sum(times.user + times.system for times in used))


@dataclass(frozen=True)
class Served:
    """A running server, and processes behind it whose time counts too."""

    port: int
    pid: int
    behind: Sequence[int] = ()

    def cpu_seconds(self) -> float:
        """Return the processor time it has used so far, its children's included."""
        return cpu_of(self.pid, *self.behind)


@contextmanager
def serving(
    command: Sequence[str],
    port: int,
    env: Mapping[str, str],
    log: Path,
    path: str,
    headers: Mapping[str, str] = NO_HEADERS,
) -> Iterator[Served]:
    """Run a module as a server; enter when it answers, leave when it has ended."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, **OUT_OF_REACH, **env},
            stdout=out,
            stderr=out,
        )
    try:
        wait_until_it_answers(port, process, log, path, headers)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=40)


def wait_until_it_answers(
    port: int,
    process: subprocess.Popen[bytes],
    log: Path,
    path: str,
    headers: Mapping[str, str] = NO_HEADERS,
) -> None:
    """Return when an address is answered; end the run where that does not come."""
    until = time.monotonic() + 30
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=dict(headers))
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(request).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"the server did not start:\n{log.read_text()[-2000:]}")
