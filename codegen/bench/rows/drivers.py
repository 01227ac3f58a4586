"""The cost of generated code on each driver, as ratios to that driver bare.

Run: python -m bench.rows.drivers. As `python -m bench.rows`: one process, in turns, and of each
the least. The bar is 1.05 for a call by its key, 1.3 for 10,000 rows of 8 columns.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import aiomysql
import asyncmy
import asyncpg
import psycopg
import pymysql
import uvloop

from bench.rows import __main__ as of_postgres
from bench.rows import mysql as of_mysql
from bench.rows.contenders import ALL, COLUMNS, ONE
from bench.rows.turns import CALLS, ROWS, TURNS, compile_into
from tests.servers import mysql, postgres
from tests.servers.mysql import connect_arguments

BARS = (1.3, 1.05)
Run = Callable[[Any], Any]


@dataclass(frozen=True)
class Pair:
    """The same two questions, asked of a driver bare and through what is generated for it.

    Each call returns what `run` waits for: an awaitable, or the answer itself.
    """

    name: str
    bare_all: Callable[[], Any]
    bare_one: Callable[[int], Any]
    store: Any
    db: Any
    run: Run


def timed(pair: Pair, rounds: int) -> tuple[float, float, float, float]:
    """Return the least seconds: all rows bare and generated, one row bare and generated."""
    found: list[list[float]] = [[], [], [], []]
    ask = (
        (lambda: pair.run(pair.bare_all()), process_time, 1, 1),
        (lambda: pair.run(pair.store.list_people(pair.db)), process_time, 1, 1),
        (lambda: pair.run(_many(pair.bare_one)), perf_counter, CALLS, TURNS),
        (
            lambda: pair.run(_many(lambda key: pair.store.get_person(pair.db, id=key))),
            perf_counter,
            CALLS,
            TURNS,
        ),
    )
    gc.freeze()
    for number in range(rounds + 1):
        for place, (call, clock, count, turns) in enumerate(ask):
            for _ in range(turns):
                gc.collect()  # each has the collections of what it allocates, not of the last one
                started = clock()
                call()
                if number:  # the first round is a warm-up
                    found[place].append((clock() - started) / count)
    rows, generated, one, called = map(min, found)
    return rows, generated, one, called


def _many(ask: Callable[[int], Any]) -> Any:
    """Ask for single rows, one after another, whichever colour the question has."""
    first = ask(1)
    if not asyncio.iscoroutine(first):
        for number in range(2, CALLS + 1):
            ask(number)
        return None

    async def rest() -> None:
        await first
        for number in range(2, CALLS + 1):
            await ask(number)

    return rest()


def _here(value: Any) -> Any:
    return value


def on_postgres(url: str, runner: asyncio.Runner) -> list[Pair]:
    """Return the pairs of PostgreSQL's drivers, on a table that is filled."""
    plain = runner.run(asyncpg.connect(url))
    runner.run(of_postgres.fill(plain))
    waiting = runner.run(psycopg.AsyncConnection.connect(url, autocommit=True))
    blocking = psycopg.connect(url, autocommit=True)
    one = ONE.replace("$1", "%s")

    async def rows() -> Any:
        return await (await waiting.execute(ALL)).fetchall()

    async def row(key: int) -> Any:
        return await (await waiting.execute(one, (key,))).fetchone()

    def executor(package: str, connection: Any) -> Any:
        return importlib.import_module(f"{package}.adapter").PsycopgExecutor(connection)

    def people(package: str) -> Any:
        return importlib.import_module(f"{package}.people")

    async def fetch() -> Any:
        return await plain.fetch(ALL)

    async def fetchrow(key: int) -> Any:
        return await plain.fetchrow(ONE, key)

    return [
        Pair("asyncpg", fetch, fetchrow, people("store_msgspec"), plain, runner.run),
        Pair(
            "psycopg",
            rows,
            row,
            people("store_psycopg"),
            executor("store_psycopg", waiting),
            runner.run,
        ),
        Pair(
            "psycopg-sync",
            lambda: blocking.execute(ALL).fetchall(),
            lambda key: blocking.execute(one, (key,)).fetchone(),
            people("store_psycopg_sync"),
            executor("store_psycopg_sync", blocking),
            _here,
        ),
    ]


def on_mysql(url: str, runner: asyncio.Runner) -> list[Pair]:
    """Return the pairs of MySQL's drivers, on a table that is filled."""
    arguments = connect_arguments(url)
    one = ONE.replace("$1", "%s")
    others = {**arguments, "database": arguments["db"]}
    del others["db"]
    with pymysql.connect(**others) as connection, connection.cursor() as cursor:
        cursor.execute((of_mysql.PROJECT / "migrations" / "0001_person.sql").read_text())
        cursor.execute(of_mysql.FILL.format(rows=ROWS))

    async def opened(connecting: Any) -> Any:
        return await connecting

    def pair(name: str, package: str, kind: str, open_: Callable[[], Any]) -> Pair:
        waits = name != "pymysql"
        bare, wrapped = (runner.run(opened(open_())) if waits else open_() for _ in range(2))
        adapter = importlib.import_module(f"{package}.adapter")
        store = importlib.import_module(f"{package}.people")

        async def ask(sql: str, arguments: tuple[int, ...], method: str) -> Any:
            cursor = bare.cursor()
            cursor = await cursor if name == "aiomysql" else cursor
            await cursor.execute(sql, arguments)
            return await getattr(cursor, method)()

        def block(sql: str, arguments: tuple[int, ...], method: str) -> Any:
            cursor = bare.cursor()
            cursor.execute(sql, arguments)
            return getattr(cursor, method)()

        question = ask if waits else block
        return Pair(
            name,
            lambda: question(f"SELECT {COLUMNS} FROM person", (), "fetchall"),
            lambda key: question(one, (key,), "fetchone"),
            store,
            getattr(adapter, kind)(wrapped),
            runner.run if waits else _here,
        )

    return [
        pair("aiomysql", "my_msgspec", "AiomysqlExecutor", lambda: aiomysql.connect(**arguments)),
        pair("asyncmy", "my_asyncmy", "AsyncmyExecutor", lambda: asyncmy.connect(**others)),
        pair("pymysql", "my_pymysql", "PymysqlExecutor", lambda: pymysql.connect(**others)),
    ]


def report(pair: Pair, rounds: int) -> None:
    """Print one line per driver."""
    rows, generated, one, called = timed(pair, rounds)
    ratios = (generated / rows, called / one)
    met = ["met" if ratio <= bar else "MISSED" for ratio, bar in zip(ratios, BARS, strict=True)]
    many = f"{rows * 1e3:7.2f} -> {generated * 1e3:7.2f} ms {ratios[0]:5.2f} x ({met[0]})"
    single = f"{one * 1e6:6.0f} -> {called * 1e6:6.0f} us {ratios[1]:5.2f} x ({met[1]})"
    print(f"  {pair.name:14} rows {many}   call {single}")


def main() -> None:
    """Measure every driver."""
    parser = argparse.ArgumentParser(prog="python -m bench.rows.drivers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        compile_into(of_postgres.PROJECT, Path(folder) / "pg")
        compile_into(of_mysql.PROJECT, Path(folder) / "my")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            with postgres.running() as server:
                for pair in on_postgres(server.create_empty("rows"), runner):
                    report(pair, rounds)
            with mysql.running() as other:
                for pair in on_mysql(other.create_empty("rows"), runner):
                    report(pair, rounds)


if __name__ == "__main__":
    main()
