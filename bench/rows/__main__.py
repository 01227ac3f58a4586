"""What decoding rows and calling a query cost, as ratios to the bare driver.

Run: python -m bench.rows. All contenders run in one process on one server, in turns; figures are
medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import asyncpg
import uvloop

from bench.rows import contenders
from devstack.testing import postgres

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).with_name("project")
ROWS = 10_000
SINGLE_CALLS = 500
# Design: 10,000 rows of 8 columns within 1.35 of the driver, a single-row call within 1.05.
BARS = {"generated, msgspec": (1.35, 1.05), "generated, dataclass": (None, 1.05)}


def compile_into(folder: Path) -> None:
    """Compile the project's queries and make the two packages importable."""
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "aiosqlc", "generate", "-f", str(folder / "sqlc.yaml")], check=True
    )
    sys.path.insert(0, str(folder))


async def fill(connection: asyncpg.Connection) -> None:
    await connection.execute((PROJECT / "migrations" / "0001_person.sql").read_text())
    await connection.execute(
        """
        INSERT INTO person
        SELECT i, 'Person ' || i, 'person' || i || '@example.org', 20 + i % 60, i / 7.0, i % 3 = 0,
            now() - i * interval '1 hour', CASE WHEN i % 4 = 0 THEN 'a note about ' || i END
        FROM generate_series(1, $1) AS i
        """,
        ROWS,
    )
    await connection.execute("VACUUM ANALYZE person")


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    started = perf_counter()
    await work()
    return perf_counter() - started


async def single_calls(get: Callable[[int], Awaitable[object]]) -> None:
    for number in range(1, SINGLE_CALLS + 1):
        await get(number)


async def measure(url: str, rounds: int) -> dict[str, tuple[float, float]]:
    """Return name → (seconds for all rows, seconds for one row), medians."""
    connection = await asyncpg.connect(url)
    await fill(connection)
    found = {
        "bare asyncpg": contenders.bare(connection),
        **{
            f"generated, {kind}": contenders.generated(
                connection, importlib.import_module(f"store_{kind}.people")
            )
            for kind in ("msgspec", "dataclass")
        },
        "keyword hooks (better-python's shape)": contenders.keyword_hooks(connection),
        "SQLAlchemy Core": contenders.sqlalchemy_core(url),
        "SQLAlchemy ORM": contenders.sqlalchemy_orm(url),
        "Tortoise": await contenders.tortoise(url),
    }
    many: dict[str, list[float]] = {name: [] for name in found}
    single: dict[str, list[float]] = {name: [] for name in found}
    for number in range(rounds + 1):
        for name, (fetch_all, fetch_one) in found.items():
            took = (
                await seconds(fetch_all),
                await seconds(lambda get=fetch_one: single_calls(get)) / SINGLE_CALLS,
            )
            if number:  # the first round is a warm-up
                many[name].append(took[0])
                single[name].append(took[1])
    await contenders.Tortoise.close_connections()
    await connection.close()
    return {
        name: (statistics.median(many[name]), statistics.median(single[name])) for name in found
    }


def report(figures: dict[str, tuple[float, float]]) -> None:
    base_many, base_single = figures["bare asyncpg"]
    print(f"{ROWS:,} rows x 8 columns, and one row by its key")
    for name, (many, single) in figures.items():
        ratios = (many / base_many, single / base_single)
        bars = BARS.get(name, (None, None))
        wanted = ", ".join(
            f"bar {bar}: {'met' if ratio <= bar else 'MISSED'}"
            for ratio, bar in zip(ratios, bars, strict=True)
            if bar
        )
        print(
            f"  {name:38} {many * 1e3:7.2f} ms {ratios[0]:5.2f} x   "
            f"{single * 1e6:6.0f} us {ratios[1]:5.2f} x   {wanted}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rows", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compile_into(Path(folder))
        with (
            postgres.running(ROOT / "migrations") as server,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            report(runner.run(measure(server.create_empty("rows"), options.rounds)))


if __name__ == "__main__":
    main()
