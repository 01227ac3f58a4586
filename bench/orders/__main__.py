"""What an order costs through the gateway, in processor time of each process, beside its floor.

Run: python -m bench.orders [orders]. It starts the whole stack on free ports, places orders over 16
connections and divides what each process used by the orders placed, less what it uses with nothing
to do. The floor is measured in the same run on the same server: the same effects in hand-written
statements from one process, without HTTP, and pgbench's TPC-B, where it is installed. Ratios say
more than figures: the machine may be busy. Orders of one line and of fifty take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID

import aiohttp
import asyncpg
import psutil

from bench.orders.floor import place_order
from devstack.embedded import postgres
from devstack.embedded.ports import free_port
from lib.ids import new_id

ROOT: Final = Path(__file__).resolve().parents[2]
PORTS: Final = (
    "GATEWAY_PORT", "POSTGRES_PORT", "REDIS_PORT", "USER_PORT", "ORDER_PORT", "DEPARTMENT_PORT",
    "PRODUCT_PORT", "CATALOG_PORT", "CHAT_PORT", "POINT_PORT", "POINT_GRPC_PORT",
    "NGINX_EXPORTER_PORT", "PROMETHEUS_PORT", "BLACKBOX_EXPORTER_PORT",
)  # fmt: skip
UNLIMITED: Final = {
    "RATE_LIMIT": "1e9", "RATE_LIMIT_BURST": "1000000000", "USER_RATE_LIMIT": "1000000000",
    # A busy machine is no reason to give up: what is measured is work, not waiting.
    "ORDER_PRODUCT_SECONDS": "30", "ORDER_USER_SECONDS": "30", "REQUEST_SECONDS": "60",
}  # fmt: skip
CONNECTIONS: Final = 16
IDLE_SECONDS: Final = 6.0
ROUNDS: Final = 5
MANY: Final = 50  # lines
WAITING: Final = 80  # of one user at a time: the limit is 100
START_SECONDS: Final = 120.0
COUNTED: Final = ("nginx", "user", "order", "product", "postgres")
BESIDE: Final = ("nginx-exporter", "supervisor")  # their share of a core while there is load


@dataclass(frozen=True)
class Stack:
    """A running stack: its processes by part, and where things are."""

    url: str
    run: Path
    ports: dict[str, str]
    parts: dict[str, int]

    def database(self, name: str) -> str:
        """The URL of a service's database."""
        password = (self.run / "secrets" / f"{name}_database").read_text()
        return f"postgresql://{name}:{password}@127.0.0.1:{self.ports['POSTGRES_PORT']}/{name}"

    def cpu(self) -> dict[str, float]:
        """Seconds of the processor used so far, by part, children included."""
        used: dict[str, float] = defaultdict(float)
        for name, pid in self.parts.items():
            parent = psutil.Process(pid)
            # All the others are children of the supervisor.
            below = [] if name == "supervisor" else parent.children(recursive=True)
            for process in [parent, *below]:
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:  # a session that ended meanwhile: its parent counts it
                    continue
                used[name] += times.user + times.system
                if process is parent and name != "supervisor":  # and of children that have ended
                    used[name] += times.children_user + times.children_system
        return used


@contextmanager
def stack() -> Iterator[Stack]:
    """Start the stack as `make run` does, on free ports."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        ports = {name: str(free_port()) for name in PORTS}
        said = Path(folder) / "said"
        with said.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "devstack"],
                cwd=ROOT,
                env={**os.environ, **ports, **UNLIMITED, "RUN_DIR": f"{folder}/run"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            until = time.monotonic() + START_SECONDS
            while "ready; press Ctrl-C" not in said.read_text():
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the stack did not start: {said.read_text()}")
                time.sleep(0.1)
            found = re.findall(r"\b(\S+) is ready \(pid (\d+)\)", said.read_text())
            parts = {name: int(pid) for name, pid in found}
            parts["supervisor"] = process.pid
            yield Stack(
                f"http://127.0.0.1:{ports['GATEWAY_PORT']}",
                Path(folder) / "run",
                ports,
                parts,
            )
        finally:
            process.terminate()
            process.wait(60)


@dataclass
class Measured:
    """What orders of one size have cost, round by round."""

    spent: list[dict[str, float]] = field(default_factory=list)  # ms of each part, an order
    # Seconds over all rounds: one of them is too short for the ticks that they are counted in.
    beside: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    seconds: float = 0.0
    rates: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)

    def add(
        self,
        before: dict[str, float],
        after: dict[str, float],
        idle: dict[str, float],
        taken: list[float],
        seconds: float,
    ) -> None:
        """Add a round."""
        self.spent.append(
            {
                name: (after[name] - before[name] - idle[name] * seconds) / len(taken) * 1000
                for name in COUNTED
            }
        )
        for name in BESIDE:
            if name in before:
                self.beside[name] += after[name] - before[name]
        self.seconds += seconds
        self.rates.append(len(taken) / seconds)
        self.taken += taken

    def totals(self) -> list[float]:
        """What an order cost in each round, all parts together."""
        return [sum(parts.values()) for parts in self.spent]

    def tell(self, lines: int) -> None:
        """Print the medians."""
        p99 = statistics.quantiles(self.taken, n=100)[98] * 1000
        parts = ", ".join(f"{name} {value:.2f}" for name, value in medians(self.spent).items())
        print(
            f"{lines:2} lines: {statistics.median(self.totals()):6.2f} ms of CPU an order, "
            f"{statistics.median(self.rates):6.1f} orders/s, p99 {p99:.0f} ms  ({parts})"
        )
        shares = [f"{name} {value / self.seconds:.1%}" for name, value in self.beside.items()]
        print(f"          of a core beside them: {', '.join(shares)}")


def medians(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the median of each name."""
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


async def shop(http: aiohttp.ClientSession, stack: Stack, count: int) -> list[str]:
    """Sign in as the administrator and add products; their ids."""
    password = (stack.run / "secrets" / "demo_admin").read_text()
    login = {"email": "admin@example.com", "password": password}
    async with http.post("/api/users/v1/auth/login", json=login) as answer:
        token = (await answer.json())["data"]["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    ids = []
    for number in range(count):
        product = {"name": f"Bench {number}", "price": "1.00", "currency": "EUR"}
        async with http.post("/api/products/v1/products", json=product) as answer:
            ids.append((await answer.json())["data"]["id"])
    database = await asyncpg.connect(stack.database("product"))
    await database.execute("UPDATE product SET stock = 1000000 WHERE name LIKE 'Bench %'")
    await database.close()
    return ids


async def sold_of(stack: Stack, product: str) -> int:
    """How many of a product are gone."""
    database = await asyncpg.connect(stack.database("product"))
    left: int = await database.fetchval("SELECT stock FROM product WHERE id = $1", UUID(product))
    await database.close()
    return 1_000_000 - left


async def people(http: aiohttp.ClientSession) -> list[str]:
    """Who orders."""
    async with http.get("/api/users/v1/users", params={"page_size": "100"}) as answer:
        listed = (await answer.json())["data"]["users"]
    return [person["id"] for person in listed if person.get("status", "active") == "active"]


async def ordering(
    http: aiohttp.ClientSession,
    stack: Stack,
    products: Sequence[str],
    users: list[str],
    count: int,
    *,
    connections: int = CONNECTIONS,
) -> tuple[list[float], float]:
    """Place orders of all the products; the seconds of each, and of all."""
    database = await asyncpg.connect(stack.database("order"))
    taken: list[float] = []
    lines = [{"product_id": product, "quantity": 1} for product in products]
    began, left = time.perf_counter(), count
    while left > 0:
        batch = min(left, WAITING * len(users))
        waiting = iter(range(batch))

        async def one_after_another(waiting: Iterator[int] = waiting) -> None:
            for number in waiting:
                body = {"user_id": users[number % len(users)], "lines": lines}
                headers = {"Idempotency-Key": str(new_id())}
                since = time.perf_counter()
                for attempt in range(5):  # A busy machine: the same request again.
                    async with http.post(
                        "/api/orders/v1/orders", json=body, headers=headers
                    ) as answer:
                        said = await answer.read()
                    if answer.status == 201:
                        break
                    await asyncio.sleep(attempt)
                else:
                    raise SystemExit(f"{answer.status}: {said!r}")
                taken.append(time.perf_counter() - since)

        await asyncio.gather(*(one_after_another() for _ in range(connections)))
        left -= batch
        await database.execute(
            "UPDATE goods_order SET status = 'confirmed' WHERE status = 'pending'"
            " AND stock = 'sold' AND NOT pending_validation"
        )
    await database.close()
    return taken, time.perf_counter() - began


async def measured(stack: Stack, count: int) -> None:
    """Print what an order costs with one line and with fifty."""
    async with aiohttp.ClientSession(stack.url) as http:
        products, users = await shop(http, stack, 50), await people(http)
        await ordering(http, stack, products[:1], users, 100)  # warm
        idle = await resting(stack)
        several = {1: Measured(), MANY: Measured()}
        for _ in range(ROUNDS):  # turn by turn: the machine's other work is in both
            for lines, orders in ((1, count // ROUNDS), (MANY, count // ROUNDS // 2)):
                before = stack.cpu()
                taken, seconds = await ordering(http, stack, products[:lines], users, orders)
                after = stack.cpu()
                several[lines].add(before, after, idle, taken, seconds)
        for lines, seen in several.items():
            seen.tell(lines)
        ratios = [
            many / one
            for one, many in zip(several[1].totals(), several[MANY].totals(), strict=True)
        ]
        print(
            f"{MANY} lines: {statistics.median(ratios):.2f} x one line, median of {ROUNDS} pairs "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )
        sold = await sold_of(stack, products[0])
        placed = 100 + sum(len(seen.taken) for seen in several.values())
        if sold != placed:
            raise SystemExit(f"{placed} were ordered and {sold} are gone")
        print(f"one hot product: {placed} ordered by {CONNECTIONS} at a time, {sold} gone")
    await floor(stack, products[0], UUID(users[0]), count)


async def resting(stack: Stack) -> dict[str, float]:
    """Return the share of a core that each part uses with nothing to do."""
    before = stack.cpu()
    await asyncio.sleep(IDLE_SECONDS)
    after = stack.cpu()
    return {name: (after[name] - before[name]) / IDLE_SECONDS for name in COUNTED}


async def floor(stack: Stack, product: str, user: UUID, count: int) -> None:
    """Print what the same effects cost in hand-written statements from this process."""
    orders = await asyncpg.connect(stack.database("order"))
    stock = await asyncpg.connect(stack.database("product"))
    own, before = time.process_time(), stack.cpu()["postgres"]
    for _ in range(count):
        await place_order(orders, stock, user, UUID(product), Decimal("1.00"))
    mine = (time.process_time() - own) / count * 1000
    servers = (stack.cpu()["postgres"] - before) / count * 1000
    await orders.close()
    await stock.close()
    parts = f"one process {mine:.2f}, postgres {servers:.2f}"
    print(f"floor:    {mine + servers:6.2f} ms of CPU  ({parts})")


def tpc_b(stack: Stack) -> None:
    """Print what a transaction of pgbench costs the same server."""
    bundled = postgres.binary("pgbench")
    pgbench = str(bundled) if bundled.exists() else shutil.which("pgbench")
    if pgbench is None:
        print("pgbench is not installed")
        return
    target = stack.database("order")
    for arguments in (["-i", "-q"], ["-t", "500", "-c", "2", "-n"]):
        before = stack.cpu()["postgres"]
        done = subprocess.run(
            [pgbench, *arguments, target], check=False, capture_output=True, text=True
        )
        if done.returncode:
            print(done.stderr.splitlines()[-1])
            return
    print(
        f"TPC-B:    {(stack.cpu()['postgres'] - before) / 1000 * 1000:6.2f} ms of CPU of postgres"
    )


def main(argv: list[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("orders", nargs="?", type=int, default=1000, help="of one line (1000)")
    count = parser.parse_args(argv).orders
    with stack() as running:
        missing = {*COUNTED, *BESIDE} - running.parts.keys()
        if missing:
            raise SystemExit(f"not seen: {missing}, of {json.dumps(running.parts)}")
        asyncio.run(measured(running, count))
        tpc_b(running)


if __name__ == "__main__":
    main(sys.argv[1:])
