"""`aiosqlc policies`: print row-level security policies for tables that have a tenant column."""

from __future__ import annotations

import argparse
import sys

from msgspec.structs import replace

from aiosqlc.cli.common import load, only_entry, report, style_of
from aiosqlc.config.project import QuerySet
from aiosqlc.diagnostics import Severity
from aiosqlc.engines import engine_for
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.servers.private import NoServerError

_NEEDED = "`engine: postgresql` and `tenant`"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `policies`."""
    command.add_argument(
        "--setting",
        default="app.tenant",
        metavar="NAME",
        help="session setting that contains the tenant's ID (default: app.tenant)",
    )
    command.add_argument(
        "--drop", action="store_true", help="print the statements that remove the policies"
    )
    command.add_argument(
        "--entry", help="name of the entry in the configuration, if there are several"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the row-level security policies of one entry. Return 1 if the schema has errors."""
    project = load(arguments)
    if project is None:
        return 2
    entry = only_entry(project, arguments.entry, _fits, _NEEDED)
    if isinstance(entry, str):
        sys.stderr.write(f"{entry}\n")
        return 2
    inputs, problems = read_inputs(project, replace(entry, queries=()))
    errors = [item for item in problems if item.severity is Severity.ERROR]
    report(errors, style_of(arguments, project.root))
    if errors or entry.tenant is None:
        return 1
    options = options_of(entry, inputs.shims)
    try:
        with engine_for(entry.engine) as engine:
            found = engine.policies(inputs.schema, options, entry.tenant, arguments.setting)
    except NoServerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if found is None:
        sys.stderr.write("the schema has errors: `aiosqlc generate` reports them\n")
        return 1
    for table in found.without:
        sys.stderr.write(f"no policy for the table {table}: it does not belong to a tenant\n")
    for statement in found.undone() if arguments.drop else found.statements():
        sys.stdout.write(f"{statement};\n")
    return 0


def _fits(entry: QuerySet) -> bool:
    return entry.tenant is not None
