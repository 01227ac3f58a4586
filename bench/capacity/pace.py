"""How long the same little work takes on each core, while something else goes on.

Two threads of a processor share its units: a core of a virtual machine takes up to twice as long
for the same while the other thread, perhaps another machine's, is busy. That is seen neither as
load nor as time stolen, only here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import fmean
from typing import Final

STEP_MS: Final = 50.0  # between two values of a series
_EVERY_SECONDS: Final = 0.02
_TEXT: Final = json.dumps([{"id": number, "name": "a" * 20} for number in range(80)])


class Pace:
    """What is known of each core so far."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def between(self, since: float, until: float) -> list[list[float]]:
        """Return for each core the milliseconds that the work took, step by step."""
        return [_steps(file, since, until) for file in self._files]


@contextmanager
def watched(folder: Path) -> Iterator[Pace]:
    """Do the work on each core, at intervals, while the block runs; some 2 % of each."""
    with ExitStack() as ending:
        files = []
        for core in sorted(os.sched_getaffinity(0)):
            files.append(folder / f"pace-{core}")
            process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(core), str(files[-1])], start_new_session=True
            )
            ending.callback(process.wait)
            ending.callback(process.terminate)
        yield Pace(files)


def _steps(file: Path, since: float, until: float) -> list[float]:
    seen: list[list[float]] = [[] for _ in range(int((until - since) * 1000 / STEP_MS) + 1)]
    for line in file.read_text().splitlines():
        at, took = map(float, line.split())
        if since <= at <= until:
            seen[int((at - since) * 1000 / STEP_MS)].append(took)
    known = [fmean(some) if some else None for some in seen]
    # The core was busy all the while: as it was before, or as it is first known to be.
    last = next(took for took in known if took is not None)
    return [last := took if took is not None else last for took in known]


def _watch(core: int, file: Path) -> None:
    os.sched_setaffinity(0, {core})
    with file.open("w", buffering=1) as lines:
        while True:
            began = time.thread_time()
            json.loads(_TEXT)
            took = (time.thread_time() - began) * 1000
            lines.write(f"{time.perf_counter()} {took}\n")
            time.sleep(_EVERY_SECONDS)


if __name__ == "__main__":
    _watch(int(sys.argv[1]), Path(sys.argv[2]))
