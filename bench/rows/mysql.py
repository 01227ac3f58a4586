"""What decoding rows and calling a query cost on aiomysql, as ratios to the bare driver.

Run: python -m bench.rows.mysql. As `python -m bench.rows`, on a MariaDB of its own.
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
from pathlib import Path

import aiomysql
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine
from tortoise import Tortoise

from bench.rows import mysql_contenders as contenders
from bench.rows.__main__ import ROOT, ROWS, SINGLE_CALLS, seconds, single_calls
from devstack.testing import mysql
from lib.config import MysqlSettings
from lib.db.mysql import open_database
from lib.db.mysql_session import connect_arguments

PROJECT = Path(__file__).with_name("project_mysql")
FILL = """
INSERT INTO person
SELECT seq, concat('Person ', seq), concat('person', seq, '@example.org'), 20 + seq % 60, seq / 7.0,
    seq % 3 = 0, now(6) - INTERVAL seq HOUR, if(seq % 4 = 0, concat('a note about ', seq), NULL)
FROM seq_1_to_{rows}
"""


def compile_into(folder: Path) -> None:
    """Compile the project's queries and make the packages importable."""
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    command = [sys.executable, "-m", "aiosqlc", "generate", "-f", str(folder / "sqlc.yaml")]
    subprocess.run(command, check=True)
    sys.path.insert(0, str(folder))


async def measure(url: str, rounds: int) -> dict[str, tuple[float, float]]:
    """Return name → (seconds for all rows, seconds for one row), medians."""
    arguments = connect_arguments(url, connect_seconds=5, statement_seconds=60)
    plain = {name: value for name, value in arguments.items() if name != "conv"}
    connection = await aiomysql.connect(**plain)
    ours = await aiomysql.connect(**arguments)
    cursor = await connection.cursor()
    await cursor.execute((PROJECT / "migrations" / "0001_person.sql").read_text())
    await cursor.execute(FILL.format(rows=ROWS))
    adapter = importlib.import_module("my_msgspec.adapter").AiomysqlExecutor
    stores = {
        kind: importlib.import_module(f"my_{kind}.people") for kind in ("msgspec", "dataclass")
    }
    engine = create_async_engine(url.replace("mysql://", "mysql+aiomysql://"))
    settings = MysqlSettings(_env_file=None, database_url=SecretStr(url))
    async with open_database(settings, application="bench") as pool:
        found = {
            "bare aiomysql": contenders.bare(connection),
            **{
                f"generated, {kind}, its own adapter": contenders.generated(
                    adapter(connection), store
                )
                for kind, store in stores.items()
            },
            "generated, msgspec, lib.db's decoders": contenders.generated(
                adapter(ours), stores["msgspec"]
            ),
            "generated, msgspec, lib.db's pool": contenders.generated(pool, stores["msgspec"]),
            "SQLAlchemy Core": contenders.sqlalchemy_core(engine),
            "SQLAlchemy ORM": contenders.sqlalchemy_orm(engine),
            "Tortoise": await contenders.tortoise(url),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
        for number in range(rounds + 1):
            for name, (fetch_all, fetch_one) in found.items():
                took = (
                    await seconds(fetch_all),
                    await seconds(lambda get=fetch_one: single_calls(get)) / SINGLE_CALLS,
                )
                if number:  # the first round is a warm-up
                    taken[name].append(took)
        await Tortoise.close_connections()
        await engine.dispose()
    for opened in (connection, ours):
        opened.close()
    return {
        name: (statistics.median(t[0] for t in times), statistics.median(t[1] for t in times))
        for name, times in taken.items()
    }


def report(figures: dict[str, tuple[float, float]]) -> None:
    base_many, base_single = figures["bare aiomysql"]
    print(f"{ROWS:,} rows x 8 columns, and one row by its key")
    for name, (many, single) in figures.items():
        print(
            f"  {name:38} {many * 1e3:7.2f} ms {many / base_many:5.2f} x   "
            f"{single * 1e6:6.0f} us {single / base_single:5.2f} x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rows.mysql", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compile_into(Path(folder))
        with mysql.running(ROOT / "migrations") as server:
            report(asyncio.run(measure(server.create_empty("rows"), options.rounds)))


if __name__ == "__main__":
    main()
