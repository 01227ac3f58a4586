"""Run `python -m bench.plans [DATA SET [SCALE]]`: agreement of plans, and deleted indexes found.

The truth is a database with rows on the embedded server, one data set after the other, each of more
than 1 GB. The README has the figures of one run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from aiosqlc.engines import engine_for
from aiosqlc.engines.planner import Planner
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.postgres.planning.database import PlannedDatabase
from aiosqlc.production.advice.check import advise
from aiosqlc.production.advice.shown import node_text, number
from aiosqlc.production.statistics import Statistics
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.source import Dialect

from tests.production.sets.truth import (
    DATA_SETS,
    WAREHOUSE,
    DataSet,
    agreement,
    deletions,
    filled,
    project,
    pulled,
)


def main(data: DataSet, scale: int) -> None:
    """Print the figures of one data set."""
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        filled(data, scale) as uri,
        engine_for(Dialect.POSTGRESQL) as engine,
    ):
        assert engine.planner
        with Connection(uri) as connection:
            size = connection.rows("select pg_size_pretty(pg_database_size(current_database()))")
        spent = time.monotonic() - started
        print(f"{data.name}: {size[0][0]} with rows, made in {spent:.0f} s", flush=True)
        part = project(data, Path(folder))
        statistics = pulled(engine.planner, part, uri)
        _print_agreement(engine.planner, part, statistics, uri)
        if data == WAREHOUSE:
            _print_extended(uri)
        _print_findings(engine.planner, part, statistics)
        _print_deletions(engine.planner, part, statistics, uri)


def _print_agreement(planner: Planner, part: Analysed, statistics: Statistics, uri: str) -> None:
    for values in (False, True):
        started = time.monotonic()
        found = agreement(planner, part, statistics, uri, values=values)
        what = "texts with common or rare values" if values else "texts"
        print(f"  {len(part.analysis.queries)} queries, {found.texts} {what}")
        print(f"  same shape: {found.share:.1%}, in {time.monotonic() - started:.1f} s")
        for text, ours, theirs in found.different:
            print(f"  differs: {text.place} {text.values}")
            for whose, plan in (("without rows", ours), ("with rows", theirs)):
                nodes = ", ".join(node_text(node) for node in plan.walk())
                print(f"    {whose}: cost {number(plan.cost)}: {nodes}")
    without = pulled(planner, part, uri, values=False)
    share = agreement(planner, part, without, uri).share
    print(f"  same shape without values: {share:.1%}", flush=True)


def _print_findings(planner: Planner, part: Analysed, statistics: Statistics) -> None:
    """Print how many findings there are, and those that only common and rare values have."""
    found = advise(planner, part, statistics).findings
    only = [item for item in found if any(note.startswith("only for") for note in item.notes)]
    print(f"  findings: {len(found)}, of these only with values: {len(only)}")
    for item in only:
        print(f"    {item.code} {item.message}; {item.notes[-1]}")


def _print_deletions(planner: Planner, part: Analysed, statistics: Statistics, uri: str) -> None:
    gone = deletions(planner, part, statistics, uri)
    print(f"  {gone.indexes} indexes deleted one at a time")
    caught = len(gone.mattered) - len(gone.missed)
    print(f"  mattered: {len(gone.mattered)} pairs of index and query, caught: {caught}")
    print(f"  of these, only with common or rare values: {len(gone.with_values)}")
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
    chosen = [data for data in DATA_SETS if data.name in sys.argv[1:2] or len(sys.argv) == 1]
    for one in chosen:
        main(one, int(sys.argv[2]) if len(sys.argv) > 2 else one.large)
