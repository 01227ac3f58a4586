"""Time contenders in turns, for all rows and for one row each, and report the figures.

The cost is the least of many turns: what else the machine does makes a turn dearer, never cheaper.
Calls are timed by the clock, in turns so short that most are not interrupted; all rows take longer
than that, so theirs is processor time of this process, without the server's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from time import perf_counter, process_time

from bench.rows.contenders import Calls

ROWS = 10_000
CALLS, TURNS = 20, 25  # of single rows: calls in a turn, turns in a round
NO_BARS = (None, None)
Figures = dict[str, tuple[float, float]]


def compile_into(project: Path, folder: Path) -> None:
    """Compile a project's queries and make the packages importable."""
    shutil.copytree(project, folder, dirs_exist_ok=True)
    command = [sys.executable, "-m", "aiosqlc", "generate", "-f", str(folder / "sqlc.yaml")]
    subprocess.run(command, check=True)
    sys.path.insert(0, str(folder))


async def in_turns(contenders: Mapping[str, Calls], rounds: int) -> Figures:
    """Return name → (seconds for all rows, seconds for one row)."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, (fetch_all, fetch_one) in contenders.items():
            every = await _seconds(fetch_all, process_time)
            singly = [
                await _seconds(lambda get=fetch_one: _single_calls(get), perf_counter)
                for _ in range(TURNS)
            ]
            if number:  # the first round is a warm-up
                taken[name].append((every, min(singly) / CALLS))
    return {
        name: (min(t[0] for t in times), min(t[1] for t in times)) for name, times in taken.items()
    }


def report(
    figures: Figures, bars: Mapping[str, tuple[float | None, float | None]] | None = None
) -> None:
    """Print them as ratios to the first, and whether they meet their bars."""
    base_many, base_single = next(iter(figures.values()))
    print(f"{ROWS:,} rows x 8 columns, and one row by its key")
    for name, (many, single) in figures.items():
        ratios = (many / base_many, single / base_single)
        wanted = ", ".join(
            f"bar {bar}: {'met' if ratio <= bar else 'MISSED'}"
            for ratio, bar in zip(ratios, (bars or {}).get(name, NO_BARS), strict=True)
            if bar
        )
        print(
            f"  {name:38} {many * 1e3:7.2f} ms {ratios[0]:5.2f} x   "
            f"{single * 1e6:6.0f} us {ratios[1]:5.2f} x   {wanted}".rstrip()
        )


async def _seconds(work: Callable[[], Awaitable[object]], clock: Callable[[], float]) -> float:
    started = clock()
    await work()
    return clock() - started


async def _single_calls(get: Callable[[int], Awaitable[object]]) -> None:
    for number in range(1, CALLS + 1):
        await get(number)
