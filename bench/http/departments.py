"""Measures three servers in turns on one database, prints medians and ratios: `make bench`."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil
import psycopg

from devstack.embedded.ports import free_port
from devstack.testing import postgres
from lib.ids import new_id

ROOT = Path(__file__).resolve().parents[2]
ROWS = 1000
OURS, BARE, PEER = "ours", "bare", "fastapi"
GATEWAY, ALONE = "gateway", "alone"
# The limiter stays in the chain and does its work; its limits are above what a machine can ask.
_OUT_OF_REACH = {"RATE_LIMIT": "1e9", "RATE_LIMIT_BURST": "1000000000"}
LABELS = {
    OURS: "this platform, whole shell",
    BARE: "bare aiohttp + asyncpg",
    PEER: "FastAPI + SQLAlchemy",
}
BEHIND = {GATEWAY: "through the gateway", ALONE: "the service alone"}
# What is divided by what, and the least that it may come to.
BARS = ((OURS, BARE, 0.8), (OURS, PEER, 5.0), (GATEWAY, ALONE, 0.8))


def fill(url: str) -> str:
    """Insert the rows and return the id of one of them."""
    ids = [new_id() for _ in range(ROWS)]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO department (id, name, address) VALUES (%s, %s, %s)",
            [
                (row, f"Department {number:04}", f"{number} Mill Lane")
                for number, row in enumerate(ids)
            ],
        )
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE department")
    return str(ids[ROWS // 2])


@dataclass(frozen=True)
class Served:
    """A running server, and processes behind it whose time counts too."""

    port: int
    pid: int
    behind: Sequence[int] = ()

    def cpu_seconds(self) -> float:
        """Return the processor time it has used so far, its children's included."""
        process = psutil.Process(self.pid)
        others = [psutil.Process(pid) for pid in self.behind]
        used = [one.cpu_times() for one in (process, *process.children(recursive=True), *others)]
        return float(sum(times.user + times.system for times in used))


@contextmanager
def serving(name: str, url: str, log: Path) -> Iterator[Served]:
    """Run one server as a process; enter when it answers."""
    port = free_port()
    if name == OURS:
        command = ["services.department"]
    elif name == BARE:
        command = ["bench.http.bare", url, str(port)]
    else:
        command = ["bench.http.fastapi_sqlalchemy", url, str(port)]
    env = (
        os.environ | {"DEPARTMENT_DATABASE_URL": url, "DEPARTMENT_PORT": str(port)} | _OUT_OF_REACH
    )
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    try:
        wait_until_it_answers(port, process, log)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_it_answers(
    port: int,
    process: subprocess.Popen[bytes],
    log: Path,
    path: str = "/api/v1/departments",
) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}?page_size=1").read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"the server did not start:\n{log.read_text()}")


def measure(
    served: Served,
    path: str,
    options: argparse.Namespace,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, float]:
    """Load one server for some seconds; its own processor time tells more than a busy machine."""
    arguments = [str(served.port), path, str(options.connections), str(options.seconds)]
    command = [sys.executable, "-m", "bench.http.load", *arguments]
    before = served.cpu_seconds()
    found: dict[str, float] = json.loads(
        subprocess.check_output(command, cwd=ROOT, input=json.dumps(dict(headers)).encode())
    )
    return found | {
        "rate": found["requests"] / found["seconds"],
        "cpu_us": (served.cpu_seconds() - before) / found["requests"] * 1e6,
    }


def in_turns(
    servers: Mapping[str, Served],
    path: str | Mapping[str, str],
    options: argparse.Namespace,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, list[dict[str, float]]]:
    """Load the servers in short turns, so that what else runs on the machine hits all alike.

    Each round begins with another server; the first round is a warm-up and does not count.
    """
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
    names = list(servers)
    for number in range(options.rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            own = path if isinstance(path, str) else path[name]
            found = measure(servers[name], own, options, headers)
            if number:
                rounds[name].append(found)
    return rounds


def report(case: str, rounds: dict[str, list[dict[str, float]]]) -> None:
    """Print medians, and ratios of turns of the same round: their median and their quartiles."""
    print(f"\n{case}")
    names = LABELS | BEHIND
    for name, found in rounds.items():
        rate, p50, p99, cpu = (
            statistics.median(one[key] for one in found)
            for key in ("rate", "p50_ms", "p99_ms", "cpu_us")
        )
        print(
            f"  {names[name]:27} {rate:6.0f} req/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms"
            f"   {cpu:5.0f} us of its CPU per request"
        )
    for one, peer, bar in BARS:
        if one in rounds and peer in rounds:
            pairs = list(zip(rounds[one], rounds[peer], strict=True))
            by_rate = spread([ours["rate"] / other["rate"] for ours, other in pairs])
            by_cpu = spread([other["cpu_us"] / ours["cpu_us"] for ours, other in pairs])
            print(f"  {names[one]} = {by_rate} x {names[peer]} (bar: {bar}), by CPU {by_cpu} x")


def spread(values: list[float]) -> str:
    """Return the median and in brackets the quartiles."""
    if len(values) == 1:
        return f"{values[0]:.2f}"
    low, _, high = statistics.quantiles(values, n=4)
    return f"{statistics.median(values):.2f} ({low:.2f}-{high:.2f})"


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.http", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", nargs="*", choices=list(LABELS), default=list(LABELS))
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    """Measure departments in turns and print medians and ratios."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.running(ROOT / "migrations"))
        url = server.create("department")
        some_id = fill(url)
        servers = {
            name: stack.enter_context(serving(name, url, folder / f"{name}.log"))
            for name in options.only
        }
        cases = {
            "one department by id": f"/api/v1/departments/{some_id}",
            "a page of 50 departments, with the total": "/api/v1/departments?page_size=50",
        }
        for case, path in cases.items():
            report(case, in_turns(servers, path, options))
