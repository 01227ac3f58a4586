"""From an edit to its diagnostics: `python -m bench.lsp [PROJECT [ROUNDS]]`.

PROJECT is a folder with sqlc.yaml; without one, 2,000 queries are written for it. A real client
types into the first query file: a column more, a name that is not there, a comment, and back again.
Beside the times, the processor time that the server took and its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.codegen.growth import write_project
from tests.lsp import editor as editors
from tests.lsp.editor import Editor, editor

QUERIES = 2000


def changes(text: str, number: int) -> str:
    first = text.upper().index("SELECT ") + len("SELECT ")
    kinds = [
        f"{text[:first]}{number} AS extra_{number}, {text[first:]}",
        f"{text[:first]}missing_{number}, {text[first:]}",
        f"-- A comment, {number}.\n{text}",
        text,
    ]
    return kinds[number % len(kinds)]


def used(desk: Editor) -> tuple[float, int]:
    """Return the seconds of processor time and the KiB of memory that the server has taken."""
    stat = Path(f"/proc/{desk.process}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{desk.process}/status").read_text()
    memory = next(line.split()[1] for line in status.splitlines() if "VmRSS" in line)
    return (int(stat[11]) + int(stat[12])) / 100, int(memory)


async def main(root: Path, rounds: int) -> None:
    path = min((root / "queries").rglob("*.sql"))
    editors.DEADLINE = 300  # opening compiles all of it
    async with editor(root) as desk:
        started = time.perf_counter()
        await desk.open(path)
        print(f"open          {time.perf_counter() - started:7.2f} s")
        text, taken, spent = desk.texts[path], [], []
        for number in range(rounds):
            before = used(desk)[0]
            started = time.perf_counter()
            desk.type(path, changes(text, number))
            await desk.settled(path)
            taken.append((time.perf_counter() - started) * 1e3)
            await asyncio.sleep(0.02)
            spent.append((used(desk)[0] - before) * 1e3)
            if number % 50 == 49:
                print(f"after {number + 1:4} edits {used(desk)[1] / 1024:6.0f} MiB")
        for name, found in (("to diagnostics", taken), ("of processor", spent)):
            cuts = statistics.quantiles(found, n=20)
            print(f"{name:15} median {statistics.median(found):6.1f} ms   p95 {cuts[18]:6.1f} ms")


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lsp", description=__doc__)
    parser.add_argument("project", nargs="?", type=Path, help="has sqlc.yaml and queries/")
    parser.add_argument("rounds", nargs="?", type=int, default=200, help="edits (200)")
    given = parser.parse_args(argv)
    if given.project and not (given.project / "sqlc.yaml").is_file():
        parser.error(f"{given.project} has no sqlc.yaml")
    return given


if __name__ == "__main__":
    _given = _arguments(sys.argv[1:])
    with tempfile.TemporaryDirectory() as _scratch:
        if _given.project is None:  # as `make bench` calls it
            write_project(Path(_scratch), QUERIES)
        _project = _given.project or Path(_scratch)
        asyncio.run(main(_project.resolve(), _given.rounds))
