"""Whether a simulation says of this machine what is measured on it, and what it says beyond.

Run: python -m bench.capacity. It starts the whole stack on free ports and places orders of one hot
product through the gateway, in turns of one run: one at a time and 16 at a time for what the
simulation is told, then 8, 16 and 64 at a time for the comparison. What other processes use
meanwhile is measured and told: on a machine that is not quiet they are in both. `--routes` measures
what each route costs instead.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg
import psutil

from bench.capacity.model import STATEMENTS, Costs, Layout, fitting_shape, simulate, steady
from bench.capacity.routes import tell_routes
from bench.orders.__main__ import Stack, ordering, people, shop, stack

ROUNDS: Final = 5
ORDERS: Final = 400  # of a turn
SATURATING: Final = 16
# (callers, whether the simulation is told what these orders cost)
TURNS: Final = ((1, True), (SATURATING, True), (8, False), (SATURATING, False), (64, False))
PARTS: Final = ("client", "nginx", "user", "order", "product", "postgres", "redis")
BAR: Final = 0.15
QUIET: Final = 0.1  # of a core, for others
FLUSHES: Final = 100  # of a round
_STATEMENT: Final = re.compile(
    r'^db_query_duration_seconds_(sum|count)\{query="(\w+)"\} (\S+)$', re.MULTILINE
)
BEYOND: Final = (
    ("2 cores", Layout()),
    ("8 cores", Layout(cores=8)),
    ("8 cores, 4 replicas of each service", Layout(cores=8, replicas=4)),
    ("the same, a server for each database", Layout(cores=8, replicas=4, apart=True)),
    ("the same, many products", Layout(cores=8, replicas=4, apart=True, hot=False)),
    ("32 cores, 16 replicas", Layout(cores=32, replicas=16, apart=True, hot=False)),
)


@dataclass
class Seen:
    """What was measured in the turns of one kind."""

    rates: list[float] = field(default_factory=list)
    p50s: list[float] = field(default_factory=list)  # milliseconds
    p99s: list[float] = field(default_factory=list)
    orders: int = 0
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))
    rest: float = 0.0  # seconds of the processor: what of ours places no orders
    others: float = 0.0  # what is not ours
    # Seconds that each statement has taken, and how often.
    statements: dict[str, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(
        self, taken: list[float], callers: int, seconds: float, used: Mapping[str, float]
    ) -> None:
        """Add a turn."""
        cuts = statistics.quantiles(steady(taken, callers), n=100)
        self.rates.append(len(taken) / seconds)
        self.p50s.append(cuts[49] * 1000)
        self.p99s.append(cuts[98] * 1000)
        self.orders += len(taken)
        self.seconds += seconds
        for part in PARTS:
            self.cpu[part] += used[part]
        ours = sum(used.values()) - used["machine"]
        self.rest += ours - sum(used[part] for part in PARTS)
        self.others += max(0.0, used["machine"] - ours)

    def per_order(self) -> dict[str, float]:
        """Milliseconds of the processor, by part."""
        return {part: value / self.orders * 1000 for part, value in self.cpu.items()}

    @property
    def beside(self) -> float:
        """The share of a core that all else used."""
        return (self.rest + self.others) / self.seconds


def used(running: Stack) -> dict[str, float]:
    """Seconds of the processor so far: of each part, of this process, of the whole machine."""
    whole = psutil.cpu_times()
    machine = whole.user + whole.nice + whole.system + whole.irq + whole.softirq
    return running.cpu() | {"client": time.process_time(), "machine": machine}


def flushes(folder: Path) -> list[float]:
    """Return how long the disk takes to keep a page of a log, in milliseconds."""
    taken = []
    with (folder / "flushed").open("wb", buffering=0) as file:
        file.write(bytes(FLUSHES * 8192))
        os.fsync(file.fileno())
        for number in range(FLUSHES):
            os.pwrite(file.fileno(), b"x" * 8192, number * 8192)
            since = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - since) * 1000)
    return taken


async def statements(http: aiohttp.ClientSession, running: Stack) -> dict[str, list[float]]:
    """Return the seconds that each statement has taken so far, and how often."""
    found: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0])
    for service in ("user", "order", "product"):
        port = running.ports[f"{service.upper()}_PORT"]
        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            for column, query, value in _STATEMENT.findall(await answer.text()):
                found[query][("sum", "count").index(column)] += float(value)
    return found


async def size(running: Stack) -> int:
    """Return how much the databases of orders and products take on disk."""
    found = 0
    for name in ("order", "product"):
        database = await asyncpg.connect(running.database(name))
        found += await database.fetchval("SELECT pg_database_size(current_database())")
        await database.close()
    return found


async def measure(running: Stack) -> tuple[dict[tuple[int, bool], Seen], list[float]]:
    """Place orders in turns; what was seen, and how long the disk took between them."""
    seen, disk = {turn: Seen() for turn in TURNS}, []
    kept = await size(running)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(running.url, connector=connector) as http:
        products, users = await shop(http, running, 1), await people(http)
        await ordering(http, running, products, users, ORDERS)  # warm
        for _ in range(ROUNDS):
            disk += flushes(running.run)
            for (callers, _), found in seen.items():
                said, before = await statements(http, running), used(running)
                taken, seconds = await ordering(
                    http, running, products, users, ORDERS // (4 if callers == 1 else 1),
                    connections=callers,
                )  # fmt: skip
                after = used(running)
                for query, both in (await statements(http, running)).items():
                    for column, value in enumerate(both):
                        found.statements[query][column] += value - said[query][column]
                found.add(
                    taken, callers, seconds, {name: after[name] - before[name] for name in after}
                )
    placed = sum(found.orders for found in seen.values()) + ORDERS
    print(f"an order keeps {(await size(running) - kept) / placed / 1000:.1f} kB on disk")
    return seen, disk


def between(alone: float, among: float, callers: int) -> float:
    """What costs so much alone and so much among others costs with some callers.

    A part of it is done once for all who are there at a time: waking up, a round of the relay.
    """
    shared = (alone - among) / (1 - 1 / SATURATING)
    return max(0.01, alone - shared * (1 - 1 / callers))


def of_an_order(alone: Seen, among: Seen, flush: float) -> dict[str, float]:
    """What each statement takes of an order, in milliseconds: what it takes alone, less a flush."""
    return {
        query: max(0.01, seconds / times * 1000 - flush * STATEMENTS.get(query, False))
        * among.statements[query][1]
        / among.orders
        for query, (seconds, times) in alone.statements.items()
        if times
    }


def costs_of(
    seen: Mapping[tuple[int, bool], Seen], disk: list[float], callers: int = SATURATING
) -> Costs:
    """What an order costs with so many callers, without how orders differ."""
    alone, among = seen[1, True], seen[SATURATING, True]
    both = alone.per_order(), among.per_order()
    cpu = {part: between(both[0][part], both[1][part], callers) for part in PARTS}
    orders = of_an_order(alone, among, statistics.median(disk))
    return Costs(cpu, disk, orders, beside=among.beside)


def shape_of(seen: Mapping[tuple[int, bool], Seen], disk: list[float]) -> float:
    """How visits differ for orders among others to differ as much as seen."""
    among = seen[SATURATING, True]
    spread = statistics.median(p99 / p50 for p99, p50 in zip(among.p99s, among.p50s, strict=True))
    return fitting_shape(costs_of(seen, disk), SATURATING, spread)


def tell(seen: Mapping[tuple[int, bool], Seen], disk: list[float], shape: float) -> bool:
    """Print the comparison; whether all of it is within the bar."""
    alone, costs, good = seen[1, True], costs_of(seen, disk), True
    parts = ", ".join(f"{part} {value:.2f}" for part, value in costs.cpu.items())
    flush, p50, p99 = (statistics.median(some) for some in (disk, alone.p50s, alone.p99s))
    print(f"told: {costs.total:.2f} ms of CPU an order ({parts}); a flush {flush:.2f} ms;")
    said = ", ".join(f"{name} {ms:.1f}" for name, ms in costs.statements.items() if ms >= 0.05)
    print(f"      statements, alone, in ms an order: {said}")
    print(f"      alone p50 {p50:.0f} ms, p99 {p99:.0f} ms: shape {shape}")
    for (callers, told), found in seen.items():
        if told:
            continue
        # What others used is no prediction, but a condition: that of these turns.
        these = replace(costs_of(seen, disk, callers), shape=shape, beside=found.beside)
        foretold = simulate(these, Layout(), callers=callers)
        rate, p99 = statistics.median(found.rates), statistics.median(found.p99s)
        off = foretold.rate / rate - 1, foretold.p99 / p99 - 1
        good = good and max(map(abs, off)) <= BAR
        print(
            f"{callers} callers: {rate:.1f} orders/s measured, {foretold.rate:.1f} simulated"
            f" ({off[0]:+.1%}); p99 {p99:.0f} ms measured, {foretold.p99:.0f} simulated"
            f" ({off[1]:+.1%})"
        )
    others = sum(one.others for one in seen.values()) / sum(one.seconds for one in seen.values())
    quiet = "quiet" if others <= QUIET else "NOT quiet, so take it for what it is"
    print(f"others used {others:.2f} of a core: {quiet}")
    print(f"all within {BAR:.0%}: {'yes' if good else 'no'}")
    return good


def beyond(costs: Costs) -> None:
    """Print what the simulation says of what is not here, callers on machines of their own."""
    elsewhere = replace(costs, cpu={**costs.cpu, "client": 0.0}, beside=0.0)
    for name, layout in BEYOND:
        callers = 8 * layout.cores
        said = simulate(elsewhere, layout, callers=callers, orders=100 * layout.cores, rounds=3)
        print(
            f"{name}, {callers} callers: {said.rate:.0f} orders/s, p99 {said.p99:.0f} ms,"
            f" cores {said.busy:.0%} busy"
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("--routes", action="store_true", help="what each route costs")
    given = parser.parse_args()
    with stack() as running:
        if given.routes:
            asyncio.run(tell_routes(running))
            return
        seen, disk = asyncio.run(measure(running))
    shape = shape_of(seen, disk)
    good = tell(seen, disk, shape)
    beyond(replace(costs_of(seen, disk), shape=shape))
    if not good:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
