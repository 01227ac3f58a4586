"""Measure `aiosqlc review` beside a cold `aiosqlc generate`: `python -m bench.review`.

The project has 300 queries and 75 migrations. The change adds a migration with a table, a column
and an index, one new query and one changed query, so that every part of a review has work to do.
Printed are medians; processor time counts the server's. The bar is 10 seconds by the clock.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.codegen.__main__ import OURS, forget
from bench.codegen.growth import measured, write_project

_SIZE = 300
_MIGRATION = """\
create table pet (id bigserial primary key, owner_id bigint references thing_1 (id));
alter table thing_1 add column age int;
create index on thing_2 (amount);
"""
_OLD, _CHANGED = "select * from thing_1 where", "select id, title from thing_1 where"
_NEW = "\n-- name: Pets :many\nselect * from pet where owner_id = @owner;\n"
_FINDINGS = 1  # the exit code of a review with findings


def change(folder: Path) -> None:
    """Commit a compiled project, and change it."""
    measured(folder, [*OURS, "generate"])
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "the deployed version"]):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *words], cwd=folder, check=True)
    (folder / "migrations" / "99999.sql").write_text(_MIGRATION)
    queries = folder / "queries" / "things_00000.sql"
    queries.write_text(queries.read_text().replace(_OLD, _CHANGED) + _NEW)


def main(argv: list[str]) -> None:
    """Print the medians of some rounds, and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m bench.review", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args(argv).rounds
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        write_project(folder, _SIZE)
        change(folder)
        cold, reviewed = [], []
        for _ in range(rounds):
            forget(folder)
            cold.append(measured(folder, [*OURS, "generate"]))
            command = [*OURS, "review", "--base", "HEAD", "--format", "markdown"]
            reviewed.append(measured(folder, command, _FINDINGS))
    print("| | clock | processor |")
    print("|---|---:|---:|")
    for name, runs in (("generate, cold", cold), ("review", reviewed)):
        clock, spent, _ = (statistics.median(part) for part in zip(*runs, strict=True))
        print(f"| {name} | {clock:.1f} s | {spent:.1f} s |")
    ratios = [one[1] / other[1] for one, other in zip(reviewed, cold, strict=True)]
    print(f"\nA review takes {statistics.median(ratios):.1f} times the processor time.")


if __name__ == "__main__":
    main(sys.argv[1:])
