"""Draw random pages while rows come and go, and compare page 10,000 with page 1.

Run: python -m bench.pages --pages 100000. Each page starts at a random cursor, forward or backward,
with a random size. Another connection inserts and deletes rows all the time. A page must contain
the rows that are there all the time in their order, none missing and none twice.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import aiomysql
import asyncpg

from bench.rows.turns import compile_into
from tests.servers import mysql, postgres
from tests.servers.mysql import connect_arguments

PROJECT = Path(__file__).with_name("project")
ROWS, PAGE, FAR = 200, 10, 10_000
LISTS: list[tuple[str, dict[str, Any]]] = [
    ("priced", {}),
    ("mixed", {"shop": 2}),
    *(("sorted", {"sort": order}) for order in ("made", "made desc", "name", "name desc")),
    ("graded", {}),
]


@dataclass
class Connected:
    """Two connections: `db` reads pages, `writer` changes rows."""

    db: Any
    writer: Any
    queries: Any
    cursor: Any
    on_mysql: bool
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    done: bool = False
    closing: tuple[Callable[[], object], ...] = ()

    async def write(self, sql: str, *args: object) -> None:
        """Run a statement on the writer's connection."""
        await self.writer.execute(sql, *args)


def values(random: Random, number: int) -> str:
    """Return the values of a row, of which many are equal to those of other rows, or NULL."""
    name, price = random.choice(["a", "b", "b ", "C_", "dd"]), random.choice(["1.5", "2", "9"])
    grade, code = random.choice(["NULL", "1", "2"]), random.choice(["NULL", "'x'", "''"])
    day = random.randrange(1, 4)
    return (
        f"({number}, {random.randrange(3)}, '{name}', {price}, '2026-02-0{day} 03:04:05',"
        f" {grade}, {code})"
    )


async def fill(found: Connected, random: Random) -> None:
    """Insert the rows that stay."""
    rows = ", ".join(values(random, number) for number in range(1, ROWS + 1))
    await found.write(f"INSERT INTO item VALUES {rows}")


async def come_and_go(found: Connected, random: Random) -> None:
    """Insert and delete other rows, some for every few pages, until the pages are drawn."""
    while not found.done:
        found.turn.clear()
        await found.turn.wait()
        number = ROWS + 1 + random.randrange(ROWS)
        await found.write(f"DELETE FROM item WHERE id = {number}")
        await found.write(f"INSERT INTO item VALUES {values(random, number)}")
        if random.random() < 0.02:
            await found.write(f"DELETE FROM item WHERE id > {ROWS}")


@dataclass(frozen=True)
class Start:
    """A cursor, and the place of its row among the rows that stay."""

    cursor: Any
    place: int


async def draw(found: Connected, pages: int, seed: int) -> int:
    """Draw pages and check each; return how many rows the pages had."""
    random = Random(seed)
    await fill(found, random)
    orders = [await order_of(found, name, more) for name, more in LISTS]
    starts: list[list[Start]] = [[Start(None, -1)] for _ in LISTS]
    changes = asyncio.create_task(come_and_go(found, Random(seed + 1)))
    rows = 0
    for number in range(pages):
        at = random.randrange(len(LISTS))
        start, size = random.choice(starts[at]), random.randrange(1, 30)
        page = await page_of(found, at, size, start.cursor)
        ids = [getattr(row, "id", row) for row in page.rows]
        check(orders[at], start, ids, size, page)
        rows += len(ids)
        for beside, edge in ((page.next, -1), (page.previous, 0)):
            if beside and ids and ids[edge] <= ROWS:
                held = starts[at]
                held.append(Start(beside, orders[at].index(ids[edge])))
                if len(held) > ROWS:
                    del held[1 + number % (ROWS - 1)]
        if number % 3 == 0:
            found.turn.set()
    found.done = True
    found.turn.set()
    await changes
    return rows


async def page_of(found: Connected, at: int, size: int, cursor: Any) -> Any:
    name, more = LISTS[at]
    query = getattr(found.queries, name)
    return await query(found.db, **more, page_size=size, cursor=cursor)


async def order_of(found: Connected, name: str, more: dict[str, Any]) -> list[int]:
    """Return the IDs of the rows that stay, in the order of a list."""
    query = getattr(found.queries, name)
    page = await query(found.db, **more, page_size=ROWS, cursor=None)
    return [getattr(row, "id", row) for row in page.rows]


def check(order: list[int], start: Start, ids: list[int], size: int, page: Any) -> None:
    """Fail if a page lacks a row that stays, or has a row twice."""
    assert len(ids) == len(set(ids)), ids
    stay = [row for row in ids if row <= ROWS]
    backward = start.cursor is not None and start.cursor.backward
    end = page.previous if backward else page.next
    if backward:
        expected = order[start.place - len(stay) : start.place]
        missing = start.place - len(stay)
    else:
        expected = order[start.place + 1 : start.place + 1 + len(stay)]
        missing = len(order) - start.place - 1 - len(stay)
    assert stay == expected, (start, ids)
    assert len(ids) == size if end else missing == 0, (start, ids, end)


async def speed(found: Connected) -> tuple[float, float]:
    """Return the median seconds of page 1 and of page 10,000, which take turns."""
    number = FAR * PAGE * 2
    await found.write("DELETE FROM item")
    if found.on_mysql:
        made = f"SELECT seq AS i FROM seq_1_to_{number}"
    else:
        made = f"SELECT i FROM generate_series(1, {number}) AS i"
    await found.write(
        "INSERT INTO item SELECT i, mod(i, 3), 'a', mod(i, 1000), '2026-02-01 03:04:05', NULL, NULL"
        f" FROM ({made}) AS numbers"
    )
    await found.write("ANALYZE TABLE item" if found.on_mysql else "VACUUM ANALYZE item")
    before = FAR * PAGE - PAGE - 1
    last = await found.db.fetchrow(
        f"SELECT price, id FROM item ORDER BY price DESC, id DESC LIMIT 1 OFFSET {before}"
    )
    far = found.cursor("Priced", tuple(last))
    taken: list[list[float]] = [[], []]
    for _ in range(400):
        for held, cursor in zip(taken, (None, far), strict=True):
            started = perf_counter()
            page = await page_of(found, 0, PAGE, cursor)
            held.append(perf_counter() - started)
            assert len(page.rows) == PAGE
    return median(taken[0]), median(taken[1])


async def on_postgres(url: str) -> Connected:
    """Connect to a new PostgreSQL database with the schema."""
    db, writer = await asyncpg.connect(url), await asyncpg.connect(url)
    await writer.execute((PROJECT / "postgres.sql").read_text())
    queries = importlib.import_module("pages_postgres.postgres_queries")
    cursor = importlib.import_module("pages_postgres.keyset").KeysetCursor
    closing = (db.terminate, writer.terminate)
    return Connected(db, writer, queries, cursor, on_mysql=False, closing=closing)


async def on_mysql(url: str) -> Connected:
    """Connect to a new MySQL database with the schema."""
    executor = importlib.import_module("pages_mysql.adapter").AiomysqlExecutor
    opened = [await aiomysql.connect(**connect_arguments(url)) for _ in range(2)]
    db, writer = map(executor, opened)
    await writer.execute((PROJECT / "mysql.sql").read_text())
    queries = importlib.import_module("pages_mysql.mysql_queries")
    cursor = importlib.import_module("pages_mysql.keyset").KeysetCursor
    closing = tuple(connection.close for connection in opened)
    return Connected(db, writer, queries, cursor, on_mysql=True, closing=closing)


async def measure(name: str, found: Connected, pages: int, seed: int) -> None:
    """Draw pages, measure the speed, and print both."""
    started = perf_counter()
    rows = await draw(found, pages, seed)
    print(
        f"{name}: {pages:,} random pages with {rows:,} rows, seed {seed},"
        f" in {perf_counter() - started:.0f} s: no row missing, none twice",
        flush=True,
    )
    first, far = await speed(found)
    print(
        f"{name}: page 1 {first * 1e6:.0f} us, page {FAR:,} {far * 1e6:.0f} us,"
        f" ratio {far / first:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--pages", type=int, default=20_000, help="pages on each engine")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=["postgres", "mysql"], action="append")
    options = parser.parse_args()
    engines = options.engine or ["postgres", "mysql"]

    async def run(name: str, url: str) -> None:
        found = await (on_mysql(url) if name == "mysql" else on_postgres(url))
        await measure(name, found, options.pages, options.seed)
        for close in found.closing:
            close()

    with tempfile.TemporaryDirectory() as folder:
        compile_into(PROJECT, Path(folder))
        for name in engines:
            running = mysql.running if name == "mysql" else postgres.running
            with running() as server:
                asyncio.run(run(name, server.create_empty("pages")))


if __name__ == "__main__":
    main()
