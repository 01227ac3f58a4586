"""`aiosqlc selfcheck`: search for rows that disprove what the compiler guarantees about queries."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines import engine_for
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.printing import Compiled, print_set
from aiosqlc.selfcheck.calling import Package
from aiosqlc.selfcheck.drivers import called_on
from aiosqlc.selfcheck.importable import not_importable
from aiosqlc.selfcheck.search import Checked, selfcheck

_PACKAGE = "aiosqlc_selfcheck"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `selfcheck`."""
    command.add_argument("-n", type=_count, default=50, help="executions per query")
    command.add_argument("--seed", type=int, default=0, help="random seed")


def _count(text: str) -> int:
    """Parse a number of executions, which must be positive."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number greater than 0")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Run every query on random data in transactions that are rolled back."""
    project = load(arguments)
    if project is None:
        return 2
    failed = False
    for analysed in analyze_project(project, reuse=False):
        mistaken = _mistaken(project, analysed)
        report([*analysed.diagnostics, *mistaken], style_of(arguments, project.root))
        failed = failed or analysed.failed or bool(mistaken)
        unreached = (
            "fix the errors above, then run the command again" if mistaken else _unreached(analysed)
        )
        if unreached:
            sys.stderr.write(f"no query could be executed: {unreached}\n")
            continue
        with _package(project, analysed) as package:
            checked = selfcheck(
                analysed, executions=arguments.n, seed=arguments.seed, package=package
            )
        report([*checked.refuted, *checked.unrun], style_of(arguments, project.root))
        failed = failed or bool(checked.refuted)
        sys.stderr.write("\n".join(_summary(analysed, checked, called=package is not None)) + "\n")
    return 1 if failed else 0


def _mistaken(project: Project, analysed: Analysed) -> list[Diagnostic]:
    """Return an error for each override whose class or function cannot be imported."""
    python = analysed.entry.python
    return not_importable(project, python, analysed.analysis.queries) if python else []


def _unreached(analysed: Analysed) -> str:
    """Return the reason why `selfcheck` cannot test a configuration entry."""
    if analysed.failed:
        return "fix the errors above, then run the command again"
    if engine_for(analysed.entry.engine).scratch is None:
        return f"selfcheck supports PostgreSQL, not {analysed.entry.engine.value}"
    return ""


@contextlib.contextmanager
def _package(project: Project, analysed: Analysed) -> Iterator[Package | None]:
    """Write an entry's generated functions to a temporary package, so that they can be called."""
    python = analysed.entry.python
    if python is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / _PACKAGE
        alone = replace(
            python,
            out=out,
            package=_PACKAGE,
            driver=called_on(python.driver),
            executor="",
            emit_protocol=False,
            same_as="",
            beside=(),
            contract=None,
        )
        into = Compiled()
        print_set(
            project, replace(analysed.entry, python=alone, json=None), analysed.analysis, into
        )
        out.mkdir()
        for file in into.files:
            file.path.write_text(file.text, "utf-8")
        paths = (project.root, Path.cwd())
        yield Package(_PACKAGE, Path(folder), paths, called_on(python.driver))


def _summary(analysed: Analysed, checked: Checked, *, called: bool) -> Iterator[str]:
    """Summarize the search for counterexamples, and list the queries that could not be tested."""
    count = len(analysed.analysis.queries)
    yield f"{count} queries ran on random rows; {len(checked.refuted)} guarantees were disproved"
    if checked.unrun:
        yield f"{len(checked.unrun)} queries never ran"
    if checked.rowless:
        yield f"these queries never returned or wrote a row: {_listed(checked.rowless)}"
    if checked.empty:
        yield f"no row could be inserted into: {_listed(checked.empty)}"
    for reason, names in _by_reason(checked.uncalled).items():
        yield f"functions that raised an error on every call: {_listed(names)} ({reason})"
    for reason, names in _by_reason(checked.unread).items():
        yield f"Python cannot represent the result of: {_listed(names)} ({reason})"
    if not called:
        yield "no function was called: this entry generates no Python"


def _by_reason(uncalled: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, reason in uncalled:
        found.setdefault(reason, []).append(name)
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
