"""Measure the cost of decoding rows and calling a query, as ratios to the bare driver.

Run: python -m bench.rows. All contenders run in one process on one server, in turns; figures are
the least of many turns.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import tempfile
from pathlib import Path

import asyncpg
import uvloop
from sqlalchemy.ext.asyncio import create_async_engine

from bench.rows import contenders
from bench.rows.turns import ROWS, Figures, compile_into, in_turns, report
from tests.servers import postgres

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).with_name("project")
# Design: 10,000 rows of 8 columns within 1.2 of the driver, a single-row call within 1.05.
BARS = {"generated, msgspec": (1.2, 1.05), "generated, dataclass": (None, 1.05)}


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


async def measure(url: str, rounds: int) -> Figures:
    """Return name → (seconds for all rows, seconds for one row)."""
    connection = await asyncpg.connect(url)
    await fill(connection)
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    found = {
        "bare asyncpg": contenders.bare(connection),
        **{
            f"generated, {kind}": contenders.generated(
                connection, importlib.import_module(f"store_{kind}.people")
            )
            for kind in ("msgspec", "dataclass")
        },
        "keyword hooks (better-python's shape)": contenders.keyword_hooks(connection),
        "SQLAlchemy Core": contenders.sqlalchemy_core(engine),
        "SQLAlchemy ORM": contenders.sqlalchemy_orm(engine),
        "Tortoise": await contenders.tortoise(url.replace("postgresql://", "asyncpg://")),
    }
    figures = await in_turns(found, rounds)
    await contenders.Tortoise.close_connections()
    await engine.dispose()
    await connection.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rows", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compile_into(PROJECT, Path(folder))
        with (
            postgres.running() as server,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            report(runner.run(measure(server.create_empty("rows"), options.rounds)), BARS)


if __name__ == "__main__":
    main()
