"""`aiosqlc plans record|diff`: store the plans of all queries in a file, and compare them later."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from aiosqlc.analysis.watched.observed import SchemaFailsError
from aiosqlc.cli.common import load, report, style_of, within_repository
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Severity
from aiosqlc.engines import Engine, engine_for
from aiosqlc.ir import ParsedQuery
from aiosqlc.messages.files import reason
from aiosqlc.messages.machines import FORMATS, format_diagnostics
from aiosqlc.messages.render import Style
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.deployed import analyze_old, old_inputs
from aiosqlc.pipeline.git import GitError, base_of
from aiosqlc.production.plans import plans
from aiosqlc.production.recorded.changes import Change, changes
from aiosqlc.production.recorded.file import FILE, FOREIGN, DamagedError, is_recorded, read, written
from aiosqlc.production.recorded.shown import diagnostics, document, plain
from aiosqlc.production.recorded.texts import TextName, basis_of, plans_by_text
from aiosqlc.production.recorded.tree import Step
from aiosqlc.production.review.tables import plans_comment
from aiosqlc.production.statistics import StatisticsError, statistics_of
from aiosqlc.servers.private import NoServerError

_Recorded = dict[TextName, Step]


class _UnusableError(Exception):
    """Raised if plans cannot be recorded or compared. The error's text is shown to the user."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `plans`."""
    command.add_argument(
        "action",
        choices=("record", "diff"),
        help="`record` writes the plans to a file, `diff` prints the plans that changed",
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PATH",
        help=f"file with the recorded plans (default: {FILE} beside the configuration)",
    )
    command.add_argument(
        "--base",
        metavar="REF",
        help="with `diff`: compare with this git reference instead of the recorded file",
    )
    command.add_argument(
        "--format",
        choices=(*FORMATS[:1], "markdown", *FORMATS[1:]),
        default="text",
        help="how `diff` reports; `markdown` is a comment for a pull request",
    )


@within_repository
def run(arguments: argparse.Namespace) -> int:
    """Record or compare the generic plan of each SQL text of each query."""
    project = load(arguments)
    if project is None:
        return 2
    if arguments.action == "record" and (arguments.base or arguments.format != "text"):
        sys.stderr.write("`--base` and `--format` are options of `plans diff`\n")
        return 2
    style = style_of(arguments, project.root)
    path = arguments.output or project.root / FILE
    try:
        if arguments.action == "record":
            return _record(project, path, style)
        return _diff(project, path, arguments, style)
    except (_UnusableError, StatisticsError) as error:
        sys.stderr.write(f"{error}\n")
    except GitError as error:
        sys.stderr.write(f"cannot compare with {arguments.base}: {error}\n")
    except NoServerError as error:
        sys.stderr.write(f"no PostgreSQL server is available to plan the queries: {error}\n")
    except SchemaFailsError as error:
        report(error.problems, style)
        sys.stderr.write("the schema has errors: fix them first\n")
    return 2


def _record(project: Project, path: Path, style: Style) -> int:
    found: _Recorded = {}
    basis = ""
    for engine, analysed in _entries(project, style):
        one, basis = _planned(engine, analysed)
        found |= one
    text = written(found, basis)
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before == text:
            return 0
        if not is_recorded(before):
            raise _UnusableError(f"{os.path.relpath(path)} {FOREIGN}")
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except UnicodeDecodeError:
        raise _UnusableError(f"{os.path.relpath(path)} {FOREIGN}") from None
    except OSError as error:
        raise _UnusableError(f"cannot write {path}: {reason(error)}") from error
    sys.stdout.write(f"wrote {os.path.relpath(path)}: {len(found)} plans\n")
    return 0


def _diff(project: Project, path: Path, arguments: argparse.Namespace, style: Style) -> int:
    found: list[Change] = []
    queries: list[ParsedQuery] = []
    basis = ""
    if arguments.base:
        commit = base_of(project.root, arguments.base)
        for engine, analysed in _entries(project, style):
            now, basis = _planned(engine, analysed)
            before = _old_plans(project, commit, engine, analysed)
            found += changes(before, now)
            queries += analysed.inputs.queries
    else:
        recorded, before_basis = _recorded(path)
        current: _Recorded = {}
        for engine, analysed in _entries(project, style):
            now, basis = _planned(engine, analysed)
            current |= now
            queries += analysed.inputs.queries
        if basis != before_basis:
            raise _UnusableError(
                f"the plans in {os.path.relpath(path)} use {before_basis}, but the current plans"
                f" use {basis}: run `aiosqlc plans record`"
            )
        found = changes(recorded, current)
    against = arguments.base or os.path.relpath(path)
    if arguments.format == "text":
        sys.stdout.write(plain(found) or f"no plan changed since {against}\n")
    elif arguments.format == "markdown":
        sys.stdout.write(plans_comment(found, basis, against))
    elif arguments.format == "json":
        sys.stdout.write(json.dumps(document(found), indent=2, ensure_ascii=False) + "\n")
    else:
        items = diagnostics(found, queries)
        sys.stdout.write(format_diagnostics(items, style, arguments.format))
    return 1 if found else 0


def _entries(project: Project, style: Style) -> Iterator[tuple[Engine, Analysed]]:
    """Yield each entry for PostgreSQL with its engine, which stays open until the next entry."""
    some = False
    for entry in project.sets:
        with engine_for(entry.engine) as engine:
            if engine.planner is None:
                sys.stderr.write(f"{_name(entry)} is skipped: plans are for PostgreSQL only\n")
                continue
            some = True
            yield engine, _analysed(project, entry, engine, style)
    if not some:
        raise _UnusableError("`plans` needs PostgreSQL: every entry is for MySQL")


def _name(entry: QuerySet) -> str:
    return entry.name or ", ".join(entry.queries)


def _analysed(project: Project, entry: QuerySet, engine: Engine, style: Style) -> Analysed:
    (found,) = analyze_project(
        replace(project, sets=(entry,)), analyzer_of=lambda _: engine.analyze
    )
    errors = [item for item in found.diagnostics if item.severity is Severity.ERROR]
    report(errors, style)
    if errors:
        raise _UnusableError("plans need queries that compile: fix the errors first")
    return found


def _planned(engine: Engine, analysed: Analysed) -> tuple[_Recorded, str]:
    assert engine.planner is not None  # noqa: S101 - only such entries are planned
    found = plans(engine.planner, analysed, statistics_of(analysed.entry))
    return plans_by_text(found), basis_of(found)


def _old_plans(project: Project, commit: str, engine: Engine, now: Analysed) -> _Recorded:
    inputs = old_inputs(project, now.entry, commit, now.inputs)
    if not inputs.schema:
        return {}
    before = analyze_old(project, now.entry, commit, inputs, engine.analyze)
    return _planned(engine, before)[0]


def _recorded(path: Path) -> tuple[_Recorded, str]:
    shown = os.path.relpath(path)
    try:
        return read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _UnusableError(
            f"there is no {shown}: write it with `aiosqlc plans record`, or pass `--base REF`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _UnusableError(f"cannot read {shown}: {reason(error)}") from error
    except DamagedError as error:
        raise _UnusableError(
            f"{shown}: {error}; write it again with `aiosqlc plans record`"
        ) from error
