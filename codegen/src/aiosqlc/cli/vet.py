"""`aiosqlc vet`: lint queries and schemas that compile."""

from __future__ import annotations

import argparse
import sys

from aiosqlc.analysis.checks import without_ignored
from aiosqlc.cli.common import load, report, style_of
from aiosqlc.messages.machines import FORMATS, format_diagnostics
from aiosqlc.pipeline.compile import analyze_project, in_source_order
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
        for rule in RULES.values():
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
            advice += vet_scans(analysed)
        found += without_ignored(advice, inputs.queries)
    found = in_source_order(found)
    text = format_diagnostics(found, style, arguments.format)
    (sys.stderr if arguments.format == "text" else sys.stdout).write(text)
    return 1 if found or failed else 0
