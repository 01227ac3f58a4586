"""Risky migrations under reads and writes of a service: `python -m bench.migrations`.

Each migration runs twice on a table of many rows while visitors send requests: as its author wrote
it, in one transaction, and as `aiosqlc migrations check --fix` rewrote it, applied by the platform.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench.migrations.load import PATH, Seen, Visitors
from bench.migrations.risky import OTHER, RISKY, project, propose
from bench.serving import ROOT, serving
from devstack.embedded.ports import free_port
from devstack.testing import auth, postgres
from lib.db import migrations

FILL = """
INSERT INTO department (id, name, address)
SELECT gen_random_uuid(), 'Department ' || n, n || ' Mill Lane' FROM generate_series(1, %s) n
"""


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.migrations", description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--rate", type=float, default=60.0, help="requests a second")
    parser.add_argument("--only", nargs="*", choices=list(RISKY), default=list(RISKY))
    return parser.parse_args()


def naively(url: str, sql: str) -> None:
    """Run a migration in one transaction, without a limit of the wait for locks."""
    with psycopg.connect(url) as connection:
        connection.execute(sql.encode())


def fill(url: str, rows: int) -> list[str]:
    """Insert rows, and return the ids of some."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL, (rows,))
        connection.execute("VACUUM ANALYZE department")
        found = connection.execute("SELECT id::text FROM department LIMIT 500").fetchall()
        return [one for (one,) in found]


async def under_load(visitors: Visitors, change: Callable[[], object]) -> tuple[Seen, Seen]:
    """Return what visitors see before a change, and what they see while it runs."""
    found = []
    for work in (lambda: None, change):
        end = asyncio.Event()
        watching = asyncio.create_task(visitors.until(end))
        await asyncio.sleep(2.0)
        await asyncio.to_thread(work)
        await asyncio.sleep(0.5)
        end.set()
        found.append(await watching)
    return found[0], found[1]


def measure(
    server: postgres.TestPostgres,
    issuer: auth.TestIssuer,
    folder: Path,
    name: str,
    given: argparse.Namespace,
    *,
    proposed: bool,
) -> tuple[Seen, Seen]:
    """Fill a database, start the service on it, and run one migration."""
    files = project(folder, RISKY[name])
    url, port = server.create("department"), free_port()
    ids = fill(url, given.rows)
    env = {
        "DEPARTMENT_DATABASE_URL": url,
        "DEPARTMENT_PORT": str(port),
        "AUTH_JWKS_URL": issuer.url,
        "LOG_LEVEL": "warning",
    }
    with serving(["services.department"], port, env, folder / "log", f"{PATH}?page_size=1"):
        headers = issuer.authorized("departments:write")
        visitors = Visitors(port, ids, headers, given.rate)
        if proposed:
            propose(folder)
            result = asyncio.run(
                under_load(visitors, lambda: migrations.apply(url, files, db="department"))
            )
        else:
            naively(url, OTHER)
            result = asyncio.run(under_load(visitors, lambda: naively(url, RISKY[name])))
    server.drop(url)
    return result


def line(calm: Seen, seen: Seen) -> str:
    """Return one result as text."""
    return (
        f"{seen.waited:4} waited, {seen.failed:4} failed, of {len(seen.seconds):5};"
        f" p99 {calm.p99:6.1f} -> {seen.p99:8.1f} ms ({seen.p99 / calm.p99:6.1f} x)"
    )


def run(given: argparse.Namespace) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running(ROOT / "migrations"))
        issuer = stack.enter_context(auth.running())
        for name in given.only:
            for proposed in (False, True):
                with tempfile.TemporaryDirectory() as folder:
                    calm, seen = measure(
                        server, issuer, Path(folder), name, given, proposed=proposed
                    )
                way = "proposed" if proposed else "naive"
                print(f"{name:31} {way:9} {line(calm, seen)}", flush=True)


if __name__ == "__main__":
    run(options())
