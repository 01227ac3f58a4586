"""Run `python -m bench.plans [CUSTOMERS]`: agreement of plans, and deleted indexes that are found.

The truth is a database with rows on the embedded server: 40 rows in `line` for each customer. The
default makes about 400 MB. The README has the figures of one run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from aiosqlc.engines import engine_for
from aiosqlc.postgres.planning.database import PlannedDatabase
from aiosqlc.production.advice.shown import node_text, number
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.source import Dialect

from tests.production.warehouse.truth import agreement, deletions, filled, project, pulled

_CUSTOMERS = 30_000


def main(customers: int) -> None:
    """Print the figures."""
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        filled(customers) as uri,
        engine_for(Dialect.POSTGRESQL) as engine,
    ):
        assert engine.planner
        with Connection(uri) as connection:
            size = connection.rows("select pg_size_pretty(pg_database_size(current_database()))")
        print(f"{size[0][0]} with rows, made in {time.monotonic() - started:.0f} s", flush=True)
        part, statistics = project(Path(folder)), pulled(engine.planner, uri)
        started = time.monotonic()
        found = agreement(engine.planner, part, statistics, uri)
        queries = len(part.analysis.queries)
        print(f"{queries} queries, {found.texts} texts, same shape: {found.share:.1%}")
        print(f"  in {time.monotonic() - started:.1f} s")
        for text, ours, theirs in found.different:
            print(f"  differs: {text.place}")
            for whose, plan in (("without rows", ours), ("with rows", theirs)):
                nodes = ", ".join(node_text(node) for node in plan.walk())
                print(f"    {whose}: cost {number(plan.cost)}: {nodes}")
        without = pulled(engine.planner, uri, values=False)
        share = agreement(engine.planner, part, without, uri).share
        print(f"  same shape without values: {share:.1%}", flush=True)
        _print_extended(uri)
        gone = deletions(engine.planner, part, statistics, uri)
        print(f"{gone.indexes} indexes deleted one at a time")
        caught = len(gone.mattered) - len(gone.missed)
        print(f"  mattered: {len(gone.mattered)} pairs of index and query, caught: {caught}")
        print(f"  proposals: {len(gone.proposed)}, without effect with rows: {len(gone.alarms)}")
        for one in gone.missed:
            print(f"  missed: {one}")
        for alarm in gone.alarms:
            print(f"  alarm: {alarm}")


def _print_extended(uri: str) -> None:
    """Print what extended statistics, which are not restored, change for two columns."""
    sql = "SELECT id FROM customer WHERE city = 'city 7' AND zip = 'zip 7-1'"
    make = "CREATE STATISTICS customer_place (dependencies) ON city, zip FROM customer"
    with Connection(uri) as connection:
        full = PlannedDatabase(connection)
        before = full.plan(sql)
        for statement in (make, "ANALYZE customer"):
            assert connection.run(statement) is None
        after = full.plan(sql)
        assert connection.run("DROP STATISTICS customer_place") is None
        assert before
        assert after
        print(f"  extended statistics on two columns: {before.rows} rows become {after.rows}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _CUSTOMERS)
