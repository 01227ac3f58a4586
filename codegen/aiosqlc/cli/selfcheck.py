"""`aiosqlc selfcheck`: hunt for data that refutes what is claimed of your queries."""

from __future__ import annotations

import argparse
import sys

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.parse.scanner import Dialect
from aiosqlc.pipeline import analyze_project


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `selfcheck`."""
    command.add_argument("-n", type=int, default=50, help="executions of each query")
    command.add_argument("--seed", type=int, default=0, help="of the random data")


def run(arguments: argparse.Namespace) -> int:
    """Run every query on random data in transactions that are rolled back."""
    project = load(arguments)
    if project is None:
        return 2
    from aiosqlc.postgres.selfcheck import selfcheck

    failed = False
    for analysed in analyze_project(project, remember=False):
        report(analysed.diagnostics, style_of(arguments, project.root))
        failed = failed or analysed.failed
        if analysed.failed or analysed.entry.engine is not Dialect.POSTGRESQL:
            continue
        refuted = selfcheck(analysed, executions=arguments.n, seed=arguments.seed)
        report(refuted, style_of(arguments, project.root))
        failed = failed or bool(refuted)
        count = len(analysed.analysis.queries)
        sys.stderr.write(f"{count} queries on random rows: {len(refuted)} claims refuted\n")
    return 1 if failed else 0
