"""`aiosqlc verify`: find a safe order to deploy code and migrations, or check stored JSON."""

from __future__ import annotations

import argparse
import functools
import json
import sys

from msgspec.structs import replace

from aiosqlc.cli.common import load, report, style_of, within_repository
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.engines import engine_for
from aiosqlc.files import UNREAD
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.git import GitError, commit_of
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.servers.private import NoServerError
from aiosqlc.verify.release import SAFE, Step, advice, read_release, verify_release
from aiosqlc.verify.stored import Sampled, sampled


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `verify`."""
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--against", metavar="REF", help="git reference of the deployed version")
    what.add_argument(
        "--database",
        metavar="URI",
        help="compare the stored JSON of this database with its declared structure; nothing is"
        " written to it",
    )
    command.add_argument("--json", action="store_true", help="for machines")


@within_repository
def run(arguments: argparse.Namespace) -> int:
    """Check the old queries after each migration step, and the new queries on the old schema."""
    project = load(arguments)
    if project is None:
        return 2
    if arguments.database:
        return _check_stored(project, arguments)
    safe = True
    for entry in project.sets:
        _, problems = read_inputs(project, entry)
        if unread := [item for item in problems if item.code in UNREAD]:
            report(unread, style_of(arguments, project.root))
            return 2
        try:
            steps = _steps(project, entry, commit_of(project.root, arguments.against))
        except GitError as error:
            sys.stderr.write(f"cannot read {arguments.against}: {error}\n")
            return 2
        verdict = advice(steps)
        safe = safe and verdict.startswith(SAFE)
        if arguments.json:
            sys.stdout.write(json.dumps(_document(steps, verdict)) + "\n")
            continue
        for step in steps:
            sys.stdout.write(_line(step, arguments.against) + "\n")
        failing = [item for step in steps for item in (*step.old_code, *step.new_code)]
        failing += [_warning(item) for step in steps for item in step.on_rows]
        report(list(dict.fromkeys(failing)), style_of(arguments, project.root))
        sys.stdout.write(f"{verdict}\n")
    return 0 if safe else 1


def _check_stored(project: Project, arguments: argparse.Namespace) -> int:
    """Check stored JSON values of each column whose structure the configuration declares."""
    scheme = arguments.database.partition(":")[0].partition("+")[0]
    entries = [
        entry
        for entry in project.sets
        if entry.python and entry.python.json and scheme in engine_for(entry.engine).schemes
    ]
    if not entries:
        sys.stderr.write("no entry for this database declares stored JSON (`gen.python.json`)\n")
        return 2
    style = style_of(arguments, project.root)
    columns: list[Sampled] = []
    for analysed in analyze_project(replace(project, sets=tuple(entries))):
        if analysed.failed:
            report(list(analysed.diagnostics), style)
            return 2
        declared = analysed.entry.python.json if analysed.entry.python else ()
        try:
            with engine_for(analysed.entry.engine) as engine:
                columns += sampled(engine, arguments.database, declared, analysed.analysis)
        except NoServerError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    if arguments.json:
        sys.stdout.write(json.dumps({"columns": [_sampled(item) for item in columns]}) + "\n")
    else:
        report([problem for item in columns for problem in item.problems], style)
        for item in columns:
            sys.stdout.write(f"{item.name}: {_said(item)}\n")
    return 0 if all(item.fits for item in columns) else 1


def _said(item: Sampled) -> str:
    if item.unread:
        return "not read"
    wrong = sum(len(rows) for _, rows in item.misfits)
    return f"{item.rows} rows read, {f'{wrong} do not fit' if wrong else 'all fit'}"


def _sampled(item: Sampled) -> dict[str, object]:
    misfits = [{"reason": reason, "rows": list(rows)} for reason, rows in item.misfits]
    return {"column": item.name, "rows": item.rows, "misfits": misfits, "unread": item.unread}


def _steps(project: Project, entry: QuerySet, reference: str) -> list[Step]:
    release = read_release(project, entry, reference)
    inputs, _ = read_inputs(project, entry)
    with engine_for(entry.engine) as engine:
        attempt = None
        # A shim replaces the result of a migration, and only the real result can be migrated.
        if engine.scratch and not inputs.shims:
            from aiosqlc.verify.rollout import try_release

            attempt = functools.partial(try_release, engine.scratch)
        return verify_release(release, entry, inputs.shims, analyze=engine.analyze, attempt=attempt)


_NOT_CALLED = "the queries were prepared and compared, but not executed"


def _line(step: Step, reference: str) -> str:
    state = f"after {step.migration}" if step.migration else f"schema of {reference}"
    how = f"{step.tried} calls tried" if step.tried else _NOT_CALLED
    old, new = _verdict(step.old_code), _verdict(step.new_code)
    return f"{state}: old code {old}, new code {new} ({how})"


def _verdict(problems: tuple[object, ...]) -> str:
    return f"fails ({len(problems)})" if problems else "holds"


def _warning(item: Diagnostic) -> Diagnostic:
    return replace(
        item,
        severity=Severity.WARNING,
        message=f"the migration fails on rows that the previous schema allows: {item.message}",
    )


def _document(steps: list[Step], verdict: str) -> dict[str, object]:
    return {
        "verdict": verdict,
        "steps": [
            {
                "migration": step.migration,
                "old_code": [item.message for item in step.old_code],
                "new_code": [item.message for item in step.new_code],
                "calls": step.tried,
                "fails_on_rows": [item.message for item in step.on_rows],
            }
            for step in steps
        ],
    }
