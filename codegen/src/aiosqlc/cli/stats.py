"""`aiosqlc stats`: copy the statistics of a production database, or derive them from the schema."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from aiosqlc.analysis.planned.declared import ContradictionsError
from aiosqlc.analysis.planned.pulled import Pulled, PullError
from aiosqlc.analysis.watched.observed import SchemaFailsError
from aiosqlc.cli.common import load, report, style_of
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Severity
from aiosqlc.engines import engine_for
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.pipeline.analysed import Inputs, options_of
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.production.statistics import StatisticsError, declared, is_statistics, written
from aiosqlc.servers.private import NoServerError

_NO_VALUES = (
    "without values of columns, the planner guesses how many rows match a condition with a constant"
    " (`status = 'open'`) or a range; plans for conditions with parameters hardly change"
)


class _UnusableError(Exception):
    """Raised if the command cannot run. The error's text is a message for the user."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `stats`."""
    command.add_argument(
        "action",
        choices=("pull", "synth"),
        help="pull: read the statistics of a database; synth: derive statistics from the schema",
    )
    command.add_argument(
        "--database", metavar="URI", help="the database to read; nothing is written to it"
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the file to write; `-` for standard output (default: `production.statistics`)",
    )
    command.add_argument(
        "--no-values",
        action="store_true",
        help="leave out the most common values and the histogram bounds, which are values from "
        "rows",
    )
    command.add_argument(
        "--entry", metavar="NAME", help="the name of the entry, if `sql:` has several entries"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the statistics of one configuration entry to a file or to standard output."""
    project = load(arguments)
    if project is None:
        return 2
    style = style_of(arguments, project.root)
    try:
        entry = _entry(project, arguments)
        output = _output(entry, arguments)
        inputs, problems = read_inputs(project, entry)
        report([item for item in problems if item.severity is Severity.ERROR], style)
        if not inputs.readable:
            raise _UnusableError("the schema files cannot be read: fix the schema first")
        _refuse_inputs(project, entry, output)
        found = _found(project, entry, inputs, arguments)
    except SchemaFailsError as error:
        report(error.problems, style)
        sys.stderr.write("the schema has errors: fix them first\n")
        return 2
    except NoServerError as error:
        sys.stderr.write(f"no PostgreSQL server to apply the schema to: {error}\n")
        return 2
    except (_UnusableError, PullError, StatisticsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    text = written(found.statistics)
    for note in found.notes:
        sys.stderr.write(f"note: {note}\n")
    if arguments.no_values:
        sys.stderr.write(f"note: {_NO_VALUES}\n")
    if output is None:
        sys.stdout.write(text)
        return 0
    _write(output, text)
    sizes, columns = len(found.statistics.relations), len(found.statistics.columns)
    sys.stdout.write(
        f"wrote {os.path.normpath(output)}: {sizes} tables and indexes, {columns} columns\n"
    )
    return 0


def _entry(project: Project, arguments: argparse.Namespace) -> QuerySet:
    """Return the configuration entry whose tables the statistics describe.

    Raise `_UnusableError` if the arguments do not determine the entry.
    """
    entries = [entry for entry in project.sets if engine_for(entry.engine).planner is not None]
    if not entries:
        raise _UnusableError("`stats` needs PostgreSQL: every entry is for MySQL")
    names = [entry.name or str(number) for number, entry in enumerate(entries, 1)]
    if arguments.entry:
        if arguments.entry not in names:
            hint = did_you_mean(arguments.entry, names, otherwise=f"known are {', '.join(names)}")
            raise _UnusableError(f"no PostgreSQL entry `{arguments.entry}`; {hint}")
        return entries[names.index(arguments.entry)]
    if arguments.output and arguments.output != "-":
        path = Path(arguments.output).absolute()
        mine = [entry for entry in entries if (named := _named(entry)) and named.absolute() == path]
        entries = mine if len(mine) == 1 else entries
    if len(entries) > 1:
        known = ", ".join(f"`--entry {name}`" for name in names)
        raise _UnusableError(
            f"the configuration has several PostgreSQL entries: pass one of {known}"
        )
    return entries[0]


def _named(entry: QuerySet) -> Path | None:
    return entry.production.statistics if entry.production else None


def _output(entry: QuerySet, arguments: argparse.Namespace) -> Path | None:
    """Return the file to write, or None for standard output."""
    if arguments.output == "-":
        return None
    path = Path(arguments.output) if arguments.output else _named(entry)
    if path is None:
        raise _UnusableError(
            "no file to write: pass `-o stats.sql`, or set `production: {statistics: stats.sql}`"
        )
    if not path.parent.is_dir():
        raise _UnusableError(f"cannot write {path}: there is no folder {path.parent}")
    if path.exists() and not is_statistics(path):
        raise _UnusableError(f"{path} is not a file of `aiosqlc stats`, so it is not overwritten")
    return path


def _refuse_inputs(project: Project, entry: QuerySet, output: Path | None) -> None:
    """Raise `_UnusableError` if the output would be read as a query or schema file."""
    if output is None or output.suffix != ".sql":
        return
    read = [project.root / path for path in (*entry.schema, *entry.queries)]
    folders = {path.resolve() for path in read if path.is_dir()}
    folders |= {path.parent.resolve() for path in read if "*" in path.name}
    if output.parent.resolve() in folders:
        raise _UnusableError(
            f"{output} would be read as SQL of the project: write it into another folder, or with"
            " another ending, such as `.stats`"
        )


def _found(
    project: Project, entry: QuerySet, inputs: Inputs, arguments: argparse.Namespace
) -> Pulled:
    if arguments.action == "pull" and not arguments.database:
        raise _UnusableError("`stats pull` needs the database: pass `--database URI`")
    if arguments.action == "synth" and (arguments.database or arguments.no_values):
        option = "--database" if arguments.database else "--no-values"
        raise _UnusableError(
            f"`{option}` is an option of `stats pull`: `stats synth` does not read a database"
        )
    if not inputs.schema:
        raise _UnusableError("the entry has no schema files: `stats` reads the tables from them")
    options = options_of(entry, inputs.shims)
    with engine_for(entry.engine) as engine:
        planner = engine.planner
        assert planner is not None  # noqa: S101 - the entry was chosen for it
        if arguments.action == "pull":
            values = not arguments.no_values
            return planner.pulled(arguments.database, inputs.schema, options, values=values)
        catalog = engine.analyze(inputs.schema, (), options)[0].catalog
        found, unknown = declared(project, entry, catalog)
        try:
            if not unknown:
                return planner.synthesised(inputs.schema, options, found.rows, found.columns)
        except ContradictionsError as error:
            unknown = tuple(map(found.placed, error.found))
        report(unknown, style_of(arguments, project.root))
        raise _UnusableError("`production.tables` declares impossible distributions: correct them")


def _write(path: Path, text: str) -> None:
    """Replace a file atomically, so that an interrupted run never leaves a half-written file."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
