"""`aiosqlc vet`: lint queries and schemas that compile."""

from __future__ import annotations

import argparse
import sys

from aiosqlc.analysis.checks import without_ignored
from aiosqlc.analysis.watched.observed import SchemaFailsError
from aiosqlc.cli.common import load, report, style_of
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines import engine_for
from aiosqlc.messages.machines import FORMATS, format_diagnostics
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project, in_source_order
from aiosqlc.production.advice.check import Advice, advise
from aiosqlc.production.advice.rules import RULES as PLAN_RULES
from aiosqlc.production.advice.stored import remembered
from aiosqlc.production.statistics import StatisticsError, statistics_of
from aiosqlc.servers.private import NoServerError
from aiosqlc.vet import vet
from aiosqlc.vet.rules import RULES
from aiosqlc.vet.scans import vet_scans


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `vet`."""
    command.add_argument("--format", choices=FORMATS, default="text", help="how to report")
    command.add_argument(
        "--plans", action="store_true", help="also check the execution plans of queries"
    )
    command.add_argument("--list", action="store_true", help="list the rules and exit")


def run(arguments: argparse.Namespace) -> int:
    """Run the lint rules over every configuration entry."""
    if arguments.list:
        for one in RULES.values():
            sys.stdout.write(f"{one.code}  {one.title}\n      {one.example}\n      {one.fix}\n")
        for rule in PLAN_RULES.values():
            sys.stdout.write(f"{rule.code}  {rule.title}\n      {rule.example}\n      {rule.fix}\n")
        return 0
    project = load(arguments)
    if project is None:
        return 2
    style = style_of(arguments, project.root)
    found = []
    failed = False
    for analysed in analyze_project(project):
        report(analysed.diagnostics, style)
        failed = failed or analysed.failed
        entry, inputs = analysed.entry, analysed.inputs
        advice = vet(analysed.analysis, inputs.schema, entry.engine, entry.vet_rules)
        if arguments.plans:
            try:
                advice += _of_plans(analysed)
            except (StatisticsError, NoServerError) as error:
                sys.stderr.write(f"the plans cannot be checked: {error}\n")
                return 2
            except SchemaFailsError as error:
                report(error.problems, style)
                return 2
        found += without_ignored(_distinct(advice), inputs.queries)
    found = in_source_order(found)
    text = format_diagnostics(found, style, arguments.format)
    (sys.stderr if arguments.format == "text" else sys.stdout).write(text)
    return 1 if found or failed else 0


def _of_plans(analysed: Analysed) -> list[Diagnostic]:
    """Return the findings about query plans. Use the production statistics if configured.

    Raises `StatisticsError`, `SchemaFailsError` and `NoServerError`.
    """
    entry = analysed.entry
    statistics = statistics_of(entry)
    if statistics is None:
        return vet_scans(analysed)

    def planned() -> Advice:
        with engine_for(entry.engine) as engine:
            assert engine.planner is not None  # noqa: S101 - `production` is for PostgreSQL only
            return advise(engine.planner, analysed, statistics)

    advice = remembered(analysed, statistics, planned)
    for note in advice.notes:
        sys.stderr.write(f"note: {note}\n")
    wanted = entry.vet_rules
    return [item for item in advice.findings if not wanted or item.code in wanted]


def _distinct(found: list[Diagnostic]) -> list[Diagnostic]:
    """Drop the findings of rule V005 about a file if rule V034 has a finding about the file.

    Both rules report LIKE patterns that start with a wildcard.
    """
    planned = [item.labels[0] for item in found if item.code == "V034"]
    return [
        item
        for item in found
        if item.code != "V005" or not any(label.file is item.labels[0].file for label in planned)
    ]
