"""Analyse the configuration entries of a project, or only the queries that changed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial

from aiosqlc.analysis.checks import check_commands, without_ignored
from aiosqlc.analysis.hints import apply_hints
from aiosqlc.analysis.notified import check_channels, with_channels_apart
from aiosqlc.analysis.passes import in_passes
from aiosqlc.analysis.port import Analyze
from aiosqlc.analysis.stored import declared_shapes, distinct_names, with_declared
from aiosqlc.analysis.tenants import check_tenants
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines import Engine, engine_for
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Catalog,
    ColumnRef,
    JsonShape,
    ParsedQuery,
    SchemaFile,
)
from aiosqlc.lock.document import Known
from aiosqlc.lock.reading import read_lock
from aiosqlc.messages.causes import merged
from aiosqlc.pipeline.analysed import Analysed, Inputs, options_of
from aiosqlc.pipeline.internal import surviving
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.pipeline.reuse import analyze_changed, reusable
from aiosqlc.plan.naming import camel, singular
from aiosqlc.source import Dialect


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
    """Add the declared structures of stored JSON to an analysis; also return their errors."""
    declared: dict[ColumnRef, JsonShape] = {}
    problems: list[Diagnostic] = []
    # Without a schema, no column is known, and the errors in the schema are reported.
    if entry.python and entry.python.json and analysis.catalog.tables:
        declared, problems = declared_shapes(entry.python.json, analysis.catalog, _stored_class)
    return with_declared(analysis, distinct_names(declared, camel)), problems


def _stored_class(table: str, column: str) -> str:
    return f"{singular(table)}_{column}"


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
