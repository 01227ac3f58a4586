"""Reads per second and their share by server, without standbys and with two, in turns.

Run: python -m bench.replicas. Servers, client and the services' own code share the machine's cores:
the ratio says what the routing costs and what a second server gains here, not what two machines
would. `--heavy` reads a sum over many rows, where the servers do most of the work.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

import asyncpg
import uvloop
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from devstack.testing import postgres
from lib import positions
from lib.config import DatabaseSettings
from lib.db import Database
from lib.db.engine import open_database
from lib.positions import Scope

ROOT = Path(__file__).resolve().parents[2]
LIGHT = "SELECT n FROM counter WHERE id = $1"
HEAVY = "SELECT sum(n) FROM counter WHERE id > $1"
ROWS = 20_000


async def reads_per_second(db: Database, text: str, clients: int, seconds: float) -> float:
    """Let clients read as requests do, each after its own answer."""
    done, until = 0, perf_counter() + seconds

    async def client() -> None:
        nonlocal done
        while perf_counter() < until:
            positions.scope.set(Scope(reads=True))
            await db.fetchval(text, done % ROWS + 1 if text is LIGHT else 0)
            done += 1

    began = perf_counter()
    await asyncio.gather(*(asyncio.create_task(client()) for _ in range(clients)))
    return done / (perf_counter() - began)


def share(registry: CollectorRegistry) -> str:
    """Return by whom the reads were answered."""
    found = {
        sample.labels["server"]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "db_reads_total"
    }
    total = sum(found.values())
    return ", ".join(f"{name} {value / total:.0%}" for name, value in sorted(found.items()))


async def measure(url: str, standbys: list[str], options: argparse.Namespace) -> None:
    text = HEAVY if options.heavy else LIGHT
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL)")
    await connection.execute(f"INSERT INTO counter SELECT i, i FROM generate_series(1, {ROWS}) i")
    await connection.execute("ANALYZE counter")
    await connection.close()
    registries = {0: CollectorRegistry(), len(standbys): CollectorRegistry()}
    async with AsyncExitStack() as stack:
        opened = {}
        for count, registry in registries.items():
            settings = DatabaseSettings(
                _env_file=None,
                database_url=SecretStr(url),
                db_replica_urls=",".join(standbys[:count]),
            )
            opening = open_database(
                settings, application="bench", registry=registry, reads={LIGHT, HEAVY}
            )
            opened[count] = await stack.enter_async_context(opening)
        await asyncio.sleep(2)  # until the standbys have replayed the rows and are in the rotation
        figures: dict[int, list[float]] = {count: [] for count in opened}
        for _ in range(options.rounds):
            for count, db in opened.items():
                rate = await reads_per_second(db, text, options.clients, options.seconds)
                figures[count].append(rate)
    medians = {count: statistics.median(rates) for count, rates in figures.items()}
    for count, rate in medians.items():
        print(f"{count} standbys: {rate:8.0f} reads/s ({min(figures[count]):.0f} at the least)")
    print(f"ratio {medians[len(standbys)] / medians[0]:.2f} on {os.cpu_count()} cores")
    print(f"answered by: {share(registries[len(standbys)])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--heavy", action="store_true")
    options = parser.parse_args()
    with (
        postgres.running(ROOT / "migrations") as server,
        server.standby() as first,
        server.standby() as second,
    ):
        url = server.create_empty("reads")
        name = url.rpartition("/")[2]
        standbys = [first.url(name), second.url(name)]
        uvloop.run(measure(url, standbys, options))


if __name__ == "__main__":
    main()
