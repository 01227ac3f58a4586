"""Compare `:arrow` with rows that become a data frame, with ADBC and with sqlspec.

Run: python -m bench.arrow --rows 1000000. It needs pandas and polars, and measures sqlspec, ADBC
and DuckDB if they are installed. All contenders read one table on one server, in turns; a figure
is the least time of a contender's turns. The bar is that both data frames are ready at least five
times faster than from rows, by the fastest way that we know to make a frame of rows.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Awaitable, Callable
from operator import attrgetter
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import pandas as pd
import polars as pl

from bench.rows.turns import compile_into
from tests.servers import postgres

PROJECT = Path(__file__).with_name("project")
FILL = """
INSERT INTO sale
SELECT
    g, g % 1000, g * 0.37, 'customer number ' || g, timestamptz '2024-01-01' + g * interval '1 s',
    CASE WHEN g % 5 <> 0 THEN g / 3.0 END, g % 2 = 0, CASE WHEN g % 3 <> 0 THEN md5(g::text) END
FROM generate_series(1, $1::int) AS g
"""
SQL = "SELECT * FROM sale WHERE id >= {}"
BAR = 5.0
Contender = Callable[[], Awaitable[Any]]


async def contenders(url: str, db: asyncpg.Connection, queries: Any) -> dict[str, Contender]:
    """Return the ways to get the table, by their names."""
    names = queries.SALES_BATCH_SCHEMA.names
    of_row = attrgetter(*names)

    async def columns() -> dict[str, Any]:
        rows = await queries.sales_rows(db, least=0)
        return dict(zip(names, zip(*map(of_row, rows), strict=True), strict=True))

    async def batch() -> Any:
        return await queries.sales_batch(db, least=0)

    async def batch_pandas() -> Any:
        return (await batch()).to_pandas(types_mapper=pd.ArrowDtype)

    async def batch_numpy() -> Any:
        return (await batch()).to_pandas()

    async def batch_polars() -> Any:
        return pl.from_arrow(await batch())

    async def rows_pandas() -> Any:
        return pd.DataFrame(await columns())

    async def rows_polars() -> Any:
        return pl.DataFrame(await columns())

    found: dict[str, Contender] = {
        "`:arrow`, the batch": batch,
        "`:arrow` to pandas": batch_pandas,
        "`:arrow` to pandas and NumPy": batch_numpy,
        "`:arrow` to polars": batch_polars,
        "`:many` to pandas": rows_pandas,
        "`:many` to polars": rows_polars,
    }
    if importlib.util.find_spec("adbc_driver_postgresql"):
        found["ADBC, its own connection"] = lambda: asyncio.to_thread(by_adbc, url)
    if importlib.util.find_spec("sqlspec"):
        found |= of_sqlspec(url)
    return found


def by_adbc(url: str) -> Any:
    """Return the table by ADBC, with a bound parameter."""
    adbc = importlib.import_module("adbc_driver_postgresql.dbapi")
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(SQL.format("$1"), parameters=(0,))
        return cursor.fetch_arrow_table()


def of_sqlspec(url: str) -> dict[str, Contender]:
    """Return sqlspec's ways to an Arrow table: over asyncpg, and over ADBC."""
    over_asyncpg = importlib.import_module("sqlspec.adapters.asyncpg")

    async def by_asyncpg() -> Any:
        config = over_asyncpg.AsyncpgConfig(connection_config={"dsn": url})
        async with config.provide_session() as session:
            found = await session.select_to_arrow(SQL.format("$1"), 0)
        await config.close_pool()
        return found.data

    found: dict[str, Contender] = {"sqlspec over asyncpg": by_asyncpg}
    if importlib.util.find_spec("adbc_driver_postgresql"):
        over_adbc = importlib.import_module("sqlspec.adapters.adbc")

        def by_sqlspecs_adbc() -> Any:
            settings = {"driver_name": "adbc_driver_postgresql", "uri": url}
            config = over_adbc.AdbcConfig(connection_config=settings)
            with config.provide_session() as session:
                return session.select_to_arrow(SQL.format("$1"), 0).data

        found["sqlspec over ADBC"] = lambda: asyncio.to_thread(by_sqlspecs_adbc)
    return found


def copies(batch: Any) -> list[str]:
    """Return which libraries read the numbers of a batch from other memory than the batch's."""
    mine = batch.column("id").buffers()[1].address
    frames = {
        "polars": pl.from_arrow(batch)["id"].to_arrow().buffers()[1].address,
        "pandas": batch.column("id").to_numpy(zero_copy_only=True).ctypes.data,
    }
    return [name for name, address in frames.items() if address != mine]


async def measure(url: str, rows: int, turns: int) -> bool:
    """Print the figures of all contenders, and return whether the bars are met."""
    db = await asyncpg.connect(url)
    await db.execute((PROJECT / "schema.sql").read_text())
    await db.execute(FILL, rows)
    await db.execute("ANALYZE sale")
    queries = importlib.import_module("store_arrow.queries")
    every = await contenders(url, db, queries)
    taken: dict[str, float] = {}
    for _ in range(turns):
        for name, get in every.items():
            started = perf_counter()
            found = await get()
            seconds = perf_counter() - started
            assert len(found) == rows, name
            taken[name] = min(seconds, taken.get(name, seconds))
            del found
    batch = await queries.sales_batch(db, least=0)
    read_by_duckdb(batch)
    copied = copies(batch)
    await db.close()
    return report(rows, taken, copied)


def read_by_duckdb(batch: Any) -> None:
    """Check that DuckDB, if it is installed, finds the batch's values."""
    if importlib.util.find_spec("duckdb"):
        duckdb = importlib.import_module("duckdb")
        connection = duckdb.connect()
        connection.register("batch", batch)
        found = connection.execute("SELECT count(*), max(id) FROM batch").fetchone()
        assert found == (batch.num_rows, batch.num_rows), found


def report(rows: int, taken: dict[str, float], copied: list[str]) -> bool:
    """Print the times as ratios to the batch, and whether the bars are met."""
    base = taken["`:arrow`, the batch"]
    print(f"{rows:,} rows x 8 columns")
    for name, seconds in taken.items():
        print(f"  {name:30} {seconds:7.2f} s {seconds / base:6.2f} x")
    met = not copied
    print(f"  copied by: {', '.join(copied) or 'neither polars nor pandas'}")
    for frame in ("pandas", "polars"):
        ratio = taken[f"`:many` to {frame}"] / taken[f"`:arrow` to {frame}"]
        met &= ratio >= BAR
        said = "met" if ratio >= BAR else "MISSED"
        print(f"  {frame}: {ratio:.1f} times faster than from rows, bar {BAR:.0f}: {said}")
    return met


def main() -> None:
    """Compile the queries, start a server, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres.running() as server:
        compile_into(PROJECT, Path(folder))
        met = asyncio.run(measure(server.create_empty(), given.rows, given.turns))
    sys.exit(not met)


if __name__ == "__main__":
    main()
