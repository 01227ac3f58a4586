"""`aiosqlc migrations check`: report each pending migration's locks and the blocked queries."""

from __future__ import annotations

import argparse
import sys

from aiosqlc.analysis.watched.observed import SchemaFailsError
from aiosqlc.cli.common import load, report, style_of, within_repository
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.engines import engine_for
from aiosqlc.files import UNREAD
from aiosqlc.messages.machines import FORMATS, format_diagnostics
from aiosqlc.messages.render import Style
from aiosqlc.pipeline.analysed import Inputs
from aiosqlc.pipeline.deployed import old_inputs
from aiosqlc.pipeline.git import GitError, commit_of
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.production.migrations.check import Checked, check
from aiosqlc.production.migrations.findings import count
from aiosqlc.production.migrations.fix import FixError, fix
from aiosqlc.production.migrations.pending import (
    Chosen,
    UnknownMigrationError,
    after,
    each,
    since_reference,
)
from aiosqlc.production.statistics import StatisticsError, statistics_of
from aiosqlc.servers.private import NoServerError


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `migrations`."""
    command.add_argument("action", choices=("check",), help="subcommand for migrations")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--base",
        metavar="REF",
        help="check only the migrations that this git reference does not have",
    )
    which.add_argument("--after", metavar="FILE", help="check the migrations after this file")
    which.add_argument(
        "--each", action="store_true", help="check every migration as a separate release"
    )
    command.add_argument("--format", choices=FORMATS, default="text", help="how to report")
    command.add_argument("--fix", action="store_true", help="write the proposed migrations")
    command.add_argument(
        "--timeout-set",
        action="store_true",
        help="do not report a missing lock_timeout, because your migration tool sets it",
    )


@within_repository
def run(arguments: argparse.Namespace) -> int:
    """Run the pending migrations of every entry on a temporary server, and print the findings."""
    project = load(arguments)
    if project is None:
        return 2
    style = style_of(arguments, project.root)
    found: list[Diagnostic] = []
    for entry in project.sets:
        try:
            errors, checked = _checked(project, entry, arguments, style)
        except GitError as error:
            sys.stderr.write(f"cannot read {arguments.base}: {error}\n")
            return 2
        except (UnknownMigrationError, _UnusableError, FixError, StatisticsError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
        except NoServerError as error:
            sys.stderr.write(f"no server to run migrations on: {error}\n")
            return 2
        except SchemaFailsError as error:
            report(error.problems, style)
            sys.stderr.write("the schema before these migrations has errors: fix them first\n")
            return 2
        found += errors
        found += [item for one in checked for item in one.findings]
        if arguments.format == "text":
            for one in checked:
                sys.stdout.write(_line(one))
            if not checked:
                sys.stdout.write("no migration is pending\n")
    text = format_diagnostics(found, style, arguments.format)
    (sys.stderr if arguments.format == "text" else sys.stdout).write(text)
    return 1 if found else 0


class _UnusableError(Exception):
    """Raised if an entry of the configuration cannot be checked."""


def _checked(
    project: Project, entry: QuerySet, arguments: argparse.Namespace, style: Style
) -> tuple[list[Diagnostic], list[Checked]]:
    """Return the errors in schema and query files, and the pending migrations with findings."""
    inputs, problems = read_inputs(project, entry)
    errors = [item for item in problems if item.severity is Severity.ERROR]
    if not inputs.readable or any(item.code in UNREAD for item in errors):
        report(errors, style)
        what = "query" if inputs.readable else "schema"
        raise _UnusableError(f"the {what} files cannot be read: fix them first")
    with engine_for(entry.engine) as engine:
        chosen = _chosen(project, entry, inputs, arguments)
        if not chosen.pending:
            return errors, []
        checked = check(
            engine.observer,
            entry,
            inputs,
            chosen,
            patient=arguments.timeout_set,
            statistics=statistics_of(entry),
        )
    if arguments.fix:
        for path in fix(project, entry, checked):
            sys.stdout.write(f"wrote {style.shown(path)}\n")
    return errors, checked


def _chosen(
    project: Project, entry: QuerySet, inputs: Inputs, arguments: argparse.Namespace
) -> Chosen:
    if arguments.base:
        commit = commit_of(project.root, arguments.base)
        old = old_inputs(project, entry, commit, inputs)
        return since_reference(project, entry, inputs, old)
    if arguments.after:
        return after(project, entry, inputs, arguments.after)
    return each(project, entry, inputs)


def _line(one: Checked) -> str:
    name = one.seen.file.file.path.name
    statements = count(len(one.seen.statements), "statement")
    if one.seen.failures:
        return f"{name}: fails\n"
    if one.reason:
        return f"{name}: {statements} run, accepted: {one.reason}\n"
    findings = count(len(one.findings), "finding") if one.findings else "no finding"
    back = "" if one.seen.lost is None else ", rollback run"
    return f"{name}: {statements} run{back}, {findings}\n"
