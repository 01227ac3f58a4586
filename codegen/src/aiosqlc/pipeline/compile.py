"""Compile a project: from a configuration to files and diagnostics."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from aiosqlc.analysis.checks import check_commands, concerns, without_ignored
from aiosqlc.analysis.hints import apply_hints
from aiosqlc.analysis.notified import check_channels, with_channels_apart
from aiosqlc.analysis.passes import in_passes
from aiosqlc.analysis.port import Analyze
from aiosqlc.analysis.stored import declared_shapes, distinct_names, with_declared
from aiosqlc.analysis.tenants import check_tenants
from aiosqlc.config.project import Project, PythonTarget, QuerySet
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.emit.contract import print_contract
from aiosqlc.emit.format import format_together
from aiosqlc.emit.json import print_json
from aiosqlc.emit.package import print_package
from aiosqlc.emit.paired import Planned, paired, paired_interface
from aiosqlc.engines import Engine, engine_for
from aiosqlc.files import find_sql_files, read_files
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Catalog,
    ColumnRef,
    JsonShape,
    ParsedQuery,
    Rendered,
    SchemaFile,
    TypedQuery,
)
from aiosqlc.lock.document import Known, Locked
from aiosqlc.lock.reading import read_lock
from aiosqlc.messages.causes import merged
from aiosqlc.parse.queries import count_named, parse_file, parse_files
from aiosqlc.pipeline.analysed import Analysed, Inputs, options_of
from aiosqlc.pipeline.internal import culprits, internal_error, surviving
from aiosqlc.pipeline.reuse import analyze_changed, reusable
from aiosqlc.plan import plan_modules
from aiosqlc.plan.model import PyModule
from aiosqlc.plan.naming import camel, singular
from aiosqlc.plan.unmatched import unmatched_overrides
from aiosqlc.schema import read_schema
from aiosqlc.source import Dialect, SourceFile, Span
from aiosqlc.store.memo import memo

_parsed = memo(parse_file)  # while watching, most files are unchanged

_NOT_TOGETHER = (
    "give each entry its own `out` folder, or combine the entries: `queries` may be a list"
)


@dataclass
class Compiled:
    """The result of compiling a project.

    If the diagnostics include errors, `files` must not be written.

    If the project was compiled with `keep_going`, `files` may be written in spite of errors. The
    files then contain only `written` of the `asked` queries. Without `keep_going`, `sound` is the
    number of queries that `keep_going` would write. `near` maps a file to the folder whose settings
    format the file.
    """

    files: list[Rendered] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    locked: dict[str, Locked] = field(default_factory=dict)
    planned: dict[str, Planned] = field(default_factory=dict)
    near: dict[Path, Path] = field(default_factory=dict)
    asked: int = 0
    sound: int = 0
    written: int = 0

    def add(self, files: Sequence[Rendered], near: Path) -> None:
        """Add Python files, which are formatted with the settings for the folder `near`."""
        self.files += files
        self.near |= dict.fromkeys([file.path for file in files], near)

    @property
    def failed(self) -> bool:
        """Return whether one of the diagnostics is an error."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)


def compile_project(
    project: Project,
    analyze: Analyze | None = None,
    analyzer_of: Callable[[Dialect], Analyze] | None = None,
    *,
    keep_going: bool = False,
) -> Compiled:
    """Compile every entry of a project.

    An error in one entry does not hide errors in other entries.

    With `keep_going`, the queries of an entry that have no errors are rendered.
    """
    with contextlib.ExitStack() as stack:
        engine_of = cache(lambda engine: stack.enter_context(engine_for(engine)))
        given = analyze or analyzer_of
        parts = list(
            analyze_project(
                project,
                analyze,
                analyzer_of or (lambda engine: engine_of(engine).analyze),
                engine_of=None if given else engine_of,
            )
        )
    # The server and its results are released before code is rendered.
    compiled = compile_parts(project, parts, keep_going=keep_going)
    if compiled.failed and not keep_going:
        compiled.sound = compile_parts(project, parts, keep_going=True, check_only=True).written
    compiled.files = format_together(compiled.files, compiled.near)
    return compiled


def compile_parts(
    project: Project,
    parts: Iterable[Analysed],
    *,
    keep_going: bool = False,
    check_only: bool = False,
) -> Compiled:
    """Compile analysed queries into Python files that are not formatted yet.

    `check_only` is for callers that only need the diagnostics. Results that affect no diagnostic
    are then empty.
    """
    compiled = Compiled()
    known: list[tuple[Analysis, Dialect]] = []
    read: list[tuple[SourceFile, Dialect]] = []
    for analysed in parts:
        known.append((analysed.analysis, analysed.entry.engine))
        read += [(file, analysed.entry.engine) for file in analysed.inputs.files]
        compiled.diagnostics += analysed.diagnostics
        if analysed.locked:
            compiled.locked[str(analysed.entry.index)] = analysed.locked
        if not analysed.failed:
            print_set(
                project,
                analysed.entry,
                analysed.analysis,
                compiled,
                keep_going=keep_going,
                check_only=check_only,
            )
        else:
            compiled.diagnostics += _clashes_elsewhere(analysed)
            if keep_going:
                sound = without_concerned(analysed.analysis, analysed.diagnostics)
                if sound.queries:
                    print_set(
                        project,
                        analysed.entry,
                        sound,
                        compiled,
                        keep_going=True,
                        check_only=check_only,
                    )
    if not compiled.failed:
        asked = [item for entry in project.sets if entry.python for item in entry.python.overrides]
        compiled.diagnostics += unmatched_overrides(asked, known, project.file)
    if compiled.failed and not check_only:
        compiled.asked = sum(count_named(*one) for one in read)
    compiled.diagnostics = in_source_order(compiled.diagnostics)
    return compiled


def without_concerned(analysis: Analysis, diagnostics: Sequence[Diagnostic]) -> Analysis:
    """Return an analysis without the queries that have errors."""
    errors = [item for item in diagnostics if item.severity is Severity.ERROR]

    def sound(queries: Sequence[TypedQuery]) -> tuple[TypedQuery, ...]:
        return tuple(
            [one for one in queries if not any(concerns(item, one.parsed) for item in errors)]
        )

    return replace(analysis, queries=sound(analysis.queries), channels=sound(analysis.channels))


def _clashes_elsewhere(analysed: Analysed) -> list[Diagnostic]:
    """Report name clashes among the queries, unless there is another error already."""
    python, engine = analysed.entry.python, analysed.entry.engine
    clashes = _plan(python, analysed.analysis, engine)[1] if python else []
    reported = {label for item in analysed.diagnostics for label in _places(item)}
    return [item for item in clashes if not reported & set(_places(item)[:1])]


def _places(item: Diagnostic) -> list[tuple[str, Span]]:
    return [(str(label.file.path), label.span) for label in item.labels]


def _same_paths(
    project: Project, entry: QuerySet, files: Sequence[Rendered], into: Compiled
) -> bool:
    """Report each file whose path a file of another entry already has; return whether any does.

    Two query files with different names can become one module, and two entries can have the same
    `out`.
    """
    taken = {os.path.relpath(file.path, project.root) for file in into.files}
    own = [os.path.relpath(file.path, project.root) for file in files]
    twice = [path for path in dict.fromkeys(own) if path in taken or own.count(path) > 1]
    if not twice:
        return False
    elsewhere = any(path in taken for path in twice)
    more = f", and {len(twice) - 1} more" if len(twice) > 1 else ""
    into.diagnostics.append(
        Diagnostic(
            "E503",
            f"two generated files would both be {twice[0]}{more}",
            (Label(project.file, entry.span),),
            _NOT_TOGETHER if elsewhere else "rename a query file",
        )
    )
    return True


def analyze_project(
    project: Project,
    analyze: Analyze | None = None,
    analyzer_of: Callable[[Dialect], Analyze] | None = None,
    *,
    reuse: bool = True,
    known: Mapping[str, Known] | None = None,
    engine_of: Callable[[Dialect], Engine] | None = None,
) -> Iterator[Analysed]:
    """Read, parse and analyse every entry. `reuse` allows results from the lock.

    `known` are results by entry that the caller has cached; they take precedence over results in
    the lock. `engine_of` returns the engine of the analyser; the engine prepares while queries are
    parsed.
    """
    known = known or {}
    if reuse and any(str(entry.index) not in known for entry in project.sets):
        known = {**read_lock(project), **known}
    analyzer_of = cache(analyzer_of or analyzer)
    for entry in project.sets:
        before = known.get(str(entry.index))
        prepare = partial(_prepare, engine_of, entry, before, reuse) if engine_of else None
        inputs, problems = read_inputs(project, entry, prepare)
        if not inputs.readable:
            yield Analysed(entry, inputs, Analysis(Catalog()), None, tuple(problems))
            continue
        yield analyze_inputs(
            entry,
            inputs,
            problems,
            before,
            analyze or analyzer_of(entry.engine),
            reuse=reuse,
        )


def _prepare(
    engine_of: Callable[[Dialect], Engine],
    entry: QuerySet,
    known: Known | None,
    reuse: bool,
    schema: tuple[SchemaFile, ...],
    shims: tuple[SchemaFile, ...],
) -> None:
    """Prepare the engine for a schema, unless earlier results may suffice for all queries."""
    options = options_of(entry, shims)
    if reusable(entry, schema, options, known, reuse=reuse) is None:
        with contextlib.suppress(Exception):  # the analysis reports it
            engine_of(entry.engine).prepare(schema, options)


def analyze_inputs(
    entry: QuerySet,
    inputs: Inputs,
    problems: Sequence[Diagnostic],
    known: Known | None,
    analyze: Analyze,
    *,
    reuse: bool = True,
) -> Analysed:
    """Analyse the files of one entry. `problems` are the diagnostics from reading the files.

    `known` are results of an earlier analysis, which are reused if they fit.
    """
    outcome = analyze_changed(
        entry,
        inputs.schema,
        inputs.queries,
        options_of(entry, inputs.shims),
        known if entry.schema else None,
        surviving(in_passes(analyze, entry.engine)),
        reuse=reuse,
    )
    analysis, mistaken = apply_hints(outcome.analysis)
    mistaken += check_channels(analysis.queries)
    analysis = with_channels_apart(analysis)
    analysis, unusable = _with_stored(entry, analysis)
    mistaken += unusable
    found = [*problems, *outcome.diagnostics, *mistaken, *check_commands(analysis.queries)]
    found += check_tenants(analysis.queries, entry.tenant)
    diagnostics = without_ignored(found, inputs.queries)
    return Analysed(entry, inputs, analysis, outcome.locked, tuple(diagnostics))


def _with_stored(entry: QuerySet, analysis: Analysis) -> tuple[Analysis, list[Diagnostic]]:
    """Return the analysis with the structures of stored JSON, and errors in declarations."""
    declared: dict[ColumnRef, JsonShape] = {}
    problems: list[Diagnostic] = []
    # Without a schema, no column is known, and the errors in the schema are reported.
    if entry.python and entry.python.json and analysis.catalog.tables:
        declared, problems = declared_shapes(entry.python.json, analysis.catalog, _stored_class)
    return with_declared(analysis, distinct_names(declared, camel)), problems


def _stored_class(table: str, column: str) -> str:
    return f"{singular(table)}_{column}"


def print_set(
    project: Project,
    entry: QuerySet,
    analysis: Analysis,
    into: Compiled,
    *,
    keep_going: bool = False,
    check_only: bool = False,
) -> None:
    """Plan and render one entry; `keep_going` drops queries whose names clash."""
    if entry.json:
        path = entry.json.out / entry.json.filename
        document = Rendered(path, "") if check_only else print_json(entry, entry.json, analysis)
        if _same_paths(project, entry, [document], into):
            return
        into.files.append(document)
        into.written += 0 if entry.python else len(analysis.queries)
    if entry.python:
        into.folders.append(entry.python.out)
        modules, clashes = _planned(entry.python, analysis, entry.engine, into)
        while clashes and keep_going:
            sound = without_concerned(analysis, clashes)
            if len(sound.queries) in {0, len(analysis.queries)}:
                return
            analysis = sound
            modules, clashes = _planned(entry.python, analysis, entry.engine, into)
        planned = Planned(entry, modules, analysis.queries)
        if entry.python.same_as and not clashes:
            modules, clashes = paired_interface(planned, into.planned)
            into.diagnostics += clashes
        into.planned[entry.python.package] = planned
        if not clashes:
            files = print_package(project, entry.python, modules, entry.engine, empty=check_only)
            if _same_paths(project, entry, files, into):
                return
            into.add(files, entry.python.out)
            into.written += len(analysis.queries)
            if entry.python.contract:
                header = files[-1].text.partition("\n")[0]
                text = print_contract(
                    header, entry.python, into.planned[entry.python.same_as], planned
                )
                into.add([Rendered(entry.python.contract, text)], entry.python.out)
            origin = into.planned.get(entry.python.same_as, planned)
            for target in entry.python.on_others():
                _print_beside(
                    project,
                    replace(entry, python=target),
                    target,
                    replace(analysis, channels=()),  # in the package of the first driver only
                    origin,
                    into,
                    check_only=check_only,
                )


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
    if not _same_paths(project, entry, files, into):
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


def read_inputs(
    project: Project,
    entry: QuerySet,
    prepare: Callable[[tuple[SchemaFile, ...], tuple[SchemaFile, ...]], None] | None = None,
) -> tuple[Inputs, list[Diagnostic]]:
    """Read the schema and the queries of one entry.

    `prepare` is called with the schema and the shims while other processes parse the queries.
    """

    @cache
    def read() -> tuple[tuple[SchemaFile, ...], tuple[SchemaFile, ...], list[Diagnostic]]:
        place = project.file, entry.schema_span
        schema, problems = read_schema(project.root, entry.schema, entry.engine, *place)
        place = project.file, entry.span
        shims, unshimmed = read_schema(project.root, entry.shims, entry.engine, *place)
        problems += unshimmed
        if prepare and not problems:
            prepare(schema, shims)
        return schema, shims, problems

    paths, missing = find_sql_files(project.root, entry.queries, project.file, entry.queries_span)
    files, unreadable = read_files(project.root, paths, whole=False)
    queries, mistakes = parse_files(files, entry.engine, _parsed, meanwhile=read)
    schema, shims, problems = read()
    readable = not problems
    problems = [*problems, *missing, *unreadable, *mistakes]
    return Inputs(schema, tuple(files), queries, shims, readable), problems


def analyzer(engine: Dialect) -> Analyze:
    """Return the analyser of an engine. The engine's libraries are imported at the first use.

    The analyser raises `ModuleNotFoundError` if the driver is not installed.
    """

    def analyze(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        with engine_for(engine) as once:
            return once.analyze(schema, queries, options)

    return analyze


def in_source_order(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Sort diagnostics by file and position, and remove duplicates."""
    return sorted(merged(diagnostics), key=lambda item: item.sort_key)
