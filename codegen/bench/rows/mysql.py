"""Measure decoding rows and calling a query on aiomysql, as ratios to the bare driver.

Run: python -m bench.rows.mysql. As `python -m bench.rows`, on a MariaDB of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import tempfile
from pathlib import Path

import aiomysql
from sqlalchemy.ext.asyncio import create_async_engine
from tortoise import Tortoise

from bench.rows import contenders as rows
from bench.rows import mysql_contenders as contenders
from bench.rows.turns import ROWS, Figures, compile_into, in_turns, report
from tests.servers import mysql
from tests.servers.mysql import connect_arguments

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).with_name("project_mysql")
FILL = """
INSERT INTO person
SELECT seq, concat('Person ', seq), concat('person', seq, '@example.org'), 20 + seq % 60, seq / 7.0,
    seq % 3 = 0, now(6) - INTERVAL seq HOUR, if(seq % 4 = 0, concat('a note about ', seq), NULL)
FROM seq_1_to_{rows}
"""


async def measure(url: str, rounds: int) -> Figures:
    """Return name → (seconds for all rows, seconds for one row)."""
    connection = await aiomysql.connect(**connect_arguments(url))
    cursor = await connection.cursor()
    await cursor.execute((PROJECT / "migrations" / "0001_person.sql").read_text())
    await cursor.execute(FILL.format(rows=ROWS))
    adapter = importlib.import_module("my_msgspec.adapter").AiomysqlExecutor
    stores = {
        kind: importlib.import_module(f"my_{kind}.people") for kind in ("msgspec", "dataclass")
    }
    engine = create_async_engine(url.replace("mysql://", "mysql+aiomysql://"))
    found = {
        "bare aiomysql": contenders.bare(connection),
        **{
            f"generated, {kind}, its own adapter": rows.generated(adapter(connection), store)
            for kind, store in stores.items()
        },
        "SQLAlchemy Core": rows.sqlalchemy_core(engine),
        "SQLAlchemy ORM": rows.sqlalchemy_orm(engine),
        "Tortoise": await rows.tortoise(url),
    }
    figures = await in_turns(found, rounds)
    await Tortoise.close_connections()
    await engine.dispose()
    connection.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rows.mysql", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compile_into(PROJECT, Path(folder))
        with mysql.running() as server:
            report(asyncio.run(measure(server.create_empty("rows"), options.rounds)))


if __name__ == "__main__":
    main()
