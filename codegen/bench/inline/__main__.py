"""SQL in Python literals: `python -m bench.inline`, the time of an edit and what checkers reject.

Edits: in a project of 300 literals, a literal changes under `aiosqlc scan --watch`. Measured is the
time from saving the Python file to the written overload, beside a whole run of `aiosqlc scan`. The
bar is a median of 200 ms.

Peers: the same literals for aiosqlc and for each peer that is installed below `--tools`. Printed is
how many of them each tool accepts, and how many types the rows of executions contradict. Then 500
literals change by one character: printed is how many of the calls each type checker rejects, how
many the tool's own command rejects (`aiosqlc scan`, a new run of iron_sql, `sqlty check`), and how
many of those that the server refuses this command misses.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.codegen.__main__ import Arrival, wait_for
from bench.inline import compared
from bench.inline.project import PACKAGE, SOURCES, write_project
from bench.soundness.__main__ import TOOLS

SIZE = 300
BAR = 200  # ms
SCAN = [sys.executable, "-m", "aiosqlc", "scan", SOURCES, "-o", PACKAGE]


@contextmanager
def watching(folder: Path) -> Iterator[None]:
    """Run `aiosqlc scan --watch` in a folder while the block runs, from when it is ready."""
    log = folder / "watch.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen([*SCAN, "--watch"], cwd=folder, stderr=stderr) as watch,
    ):
        try:
            wait_for(lambda: "watching\n" in log.read_text(), 120)
            yield
        finally:
            watch.terminate()


def edits(folder: Path, rounds: int) -> list[float]:
    """Return the milliseconds from saving each edit to the written overload."""
    taken = []
    modules = sorted((folder / SOURCES).glob("*.py"))
    with watching(folder):
        for number in range(rounds + 1):  # the first one warms up
            module = modules[number % len(modules)]
            word = f"edited_{number}"
            text = module.read_text()
            arrival = Arrival(folder / PACKAGE / "sql.py", word)
            module.write_text(text.replace('sql("""', f'sql("""-- {word}', 1))
            started = time.perf_counter()
            wait_for(arrival.has_come, 60)
            taken.append((time.perf_counter() - started) * 1e3)
    return taken[1:]


def report_edits(size: int, rounds: int) -> None:
    """Print the times of edits, and their share of a whole run."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_project(folder, size)
        whole = []
        for _ in range(3):
            shutil.rmtree(folder / PACKAGE, ignore_errors=True)
            started = time.perf_counter()
            subprocess.run(SCAN, cwd=folder, check=True, capture_output=True)
            whole.append((time.perf_counter() - started) * 1e3)
        found = edits(folder, rounds)
    median, run = statistics.median(found), statistics.median(whole)
    cut = statistics.quantiles(found, n=20)[18]
    load = os.getloadavg()[0]
    print(
        f"{size} literals, {rounds} edits, {load:.1f} runnable processes on {os.cpu_count()} cores"
    )
    print(f"a whole run of scan        median {run:6.0f} ms")
    print(f"an edit under scan --watch median {median:6.0f} ms   p95 {cut:6.0f} ms")
    print(f"an edit / a whole run      {median / run:.2f}   (bar: {BAR} ms)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.inline", description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="literals of the project (300)")
    parser.add_argument("--rounds", type=int, default=40, help="edits (40); 0 measures none")
    parser.add_argument("--tools", type=Path, default=TOOLS, help="as bench.soundness")
    given = parser.parse_args()
    if given.rounds:
        report_edits(given.size, given.rounds)
    compared.report(min(given.size, 60), given.tools.absolute())
