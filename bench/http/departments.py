"""Measures three servers in turns on one database, prints medians and ratios: `make bench`."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import psycopg

from bench.serving import NO_HEADERS, ROOT, Served, serving
from devstack.embedded.ports import free_port
from devstack.testing import postgres
from lib.ids import new_id

PATH = "/api/v1/departments"
ROWS = 1000
OURS, BARE, PEER = "ours", "bare", "fastapi"
GATEWAY, ALONE = "gateway", "alone"
LABELS = {
    OURS: "this platform, whole shell",
    BARE: "bare aiohttp + asyncpg",
    PEER: "FastAPI + SQLAlchemy",
}
BEHIND = {GATEWAY: "through the gateway", ALONE: "the service alone"}
# What is divided by what, and the least that it may come to.
BARS = ((OURS, BARE, 1.0), (OURS, PEER, 6.0), (GATEWAY, ALONE, 0.8))


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


def serving_as(name: str, url: str, log: Path) -> AbstractContextManager[Served]:
    """Run one server as a process; enter when it answers."""
    port = free_port()
    if name == OURS:
        command = ["services.department"]
    elif name == BARE:
        command = ["bench.http.bare", url, str(port)]
    else:
        command = ["bench.http.fastapi_sqlalchemy", url, str(port)]
    env = {"DEPARTMENT_DATABASE_URL": url, "DEPARTMENT_PORT": str(port)}
    return serving(command, port, env, log, f"{PATH}?page_size=1")


def measure(
    served: Served,
    path: str,
    options: argparse.Namespace,
    headers: Mapping[str, str] = NO_HEADERS,
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
    headers: Mapping[str, str] = NO_HEADERS,
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


def report(
    case: str,
    rounds: dict[str, list[dict[str, float]]],
    bars: Sequence[tuple[str, str, float]] = BARS,
) -> None:
    """Print medians, and ratios of turns of the same round: their median and their quartiles.

    Other work on the machine only adds to processor time, so the least is printed as well.
    """
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
            f" (least {min(one['cpu_us'] for one in found):.0f})"
        )
    for one, peer, bar in bars:
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
            name: stack.enter_context(serving_as(name, url, folder / f"{name}.log"))
            for name in options.only
        }
        cases = {
            "one department by id": f"{PATH}/{some_id}",
            "a page of 50 departments, with the total": f"{PATH}?page_size=50",
        }
        for case, path in cases.items():
            report(case, in_turns(servers, path, options))
