"""Plan and render the Python code of a configuration entry."""

from __future__ import annotations

from msgspec.structs import replace

from aiosqlc.analysis.checks import without_ignored
from aiosqlc.analysis.notified import with_channels_apart
from aiosqlc.config.project import Project, PythonTarget, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.emit.contract import print_contract
from aiosqlc.emit.package import print_package
from aiosqlc.emit.paired import Planned, paired, paired_interface
from aiosqlc.ir import Analysis, ParsedQuery, Rendered
from aiosqlc.pipeline.internal import culprits, internal_error
from aiosqlc.pipeline.printing import Compiled, same_paths, without_concerned
from aiosqlc.plan.model import PyModule
from aiosqlc.plan.module import plan_modules
from aiosqlc.source import Dialect


def print_python(
    project: Project,
    entry: QuerySet,
    target: PythonTarget,
    analysis: Analysis,
    into: Compiled,
    *,
    keep_going: bool,
    check_only: bool,
) -> None:
    """Plan and render an entry's package, and the packages for its other drivers.

    `keep_going` drops queries whose names clash.
    """
    into.folders.append(target.out)
    modules, clashes = _planned(target, analysis, entry.engine, into)
    while clashes and keep_going:
        sound = without_concerned(analysis, clashes)
        if len(sound.queries) in {0, len(analysis.queries)}:
            return
        analysis = sound
        modules, clashes = _planned(target, analysis, entry.engine, into)
    planned = Planned(entry, modules, analysis.queries)
    if target.same_as and not clashes:
        modules, clashes = paired_interface(planned, into.planned)
        into.diagnostics += clashes
    into.planned[target.package] = planned
    if clashes:
        return
    files = print_package(project, target, modules, entry.engine, empty=check_only)
    if same_paths(project, entry, files, into):
        return
    into.add(files, target.out)
    into.written += len(analysis.queries)
    if target.contract:
        header = files[-1].text.partition("\n")[0]
        text = print_contract(header, target, into.planned[target.same_as], planned)
        into.add([Rendered(target.contract, text)], target.out)
    origin = into.planned.get(target.same_as, planned)
    for other in target.on_others():
        _print_beside(
            project,
            replace(entry, python=other),
            other,
            replace(analysis, channels=()),  # in the package of the first driver only
            origin,
            into,
            check_only=check_only,
        )


def clashes_of(target: PythonTarget, analysis: Analysis, engine: Dialect) -> list[Diagnostic]:
    """Return the name clashes among the queries."""
    return _plan(target, analysis, engine)[1]


def _print_beside(
    project: Project,
    entry: QuerySet,
    target: PythonTarget,
    analysis: Analysis,
    origin: Planned,
    into: Compiled,
    *,
    check_only: bool,
) -> None:
    """Render an entry's functions for another driver, with the classes of the first driver."""
    into.folders.append(target.out)
    modules, clashes = _planned(target, analysis, entry.engine, into)
    if not clashes:
        modules, clashes = paired(Planned(entry, modules, analysis.queries), origin)
        into.diagnostics += clashes
    files = (
        [] if clashes else print_package(project, target, modules, entry.engine, empty=check_only)
    )
    if not same_paths(project, entry, files, into):
        into.add(files, target.out)


def _planned(
    target: PythonTarget, analysis: Analysis, engine: Dialect, into: Compiled
) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Plan the modules, collect all diagnostics, and return the modules and the errors."""
    modules, found = _plan(target, analysis, engine)
    asked = (*analysis.queries, *analysis.channels)
    said = without_ignored(found, [query.parsed for query in asked])
    into.diagnostics += said
    return modules, [item for item in said if item.severity is Severity.ERROR]


def _plan(
    target: PythonTarget, analysis: Analysis, engine: Dialect
) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Plan the modules; if planning crashes, report the query and return no modules."""
    try:
        return plan_modules(target, analysis, engine)
    except Exception:  # after any exception, the other diagnostics are still reported
        typed = {query.parsed: query for query in (*analysis.queries, *analysis.channels)}

        def plan_some(queries: list[ParsedQuery]) -> None:
            some = tuple(typed[query] for query in queries)
            part = with_channels_apart(replace(analysis, queries=some, channels=()))
            plan_modules(target, part, engine)

        broken = culprits(plan_some, list(typed))
        if not broken:
            raise
        return (), [internal_error(query, error) for query, error in broken.items()]
