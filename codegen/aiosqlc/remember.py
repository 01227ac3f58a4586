"""Analyses only what the lock does not remember: unchanged input needs no server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiosqlc import lock
from aiosqlc.config.project import QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.stages import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile, TypedQuery

Analyze = Callable[
    [Sequence[SchemaFile], Sequence[ParsedQuery], AnalyzeOptions],
    tuple[Analysis, tuple[Diagnostic, ...]],
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An analysis, its diagnostics, and what to lock of it (None: there is an error)."""

    analysis: Analysis
    diagnostics: tuple[Diagnostic, ...]
    locked: lock.Locked | None


def analyze_remembering(
    entry: QuerySet,
    schema: Sequence[SchemaFile],
    queries: Sequence[ParsedQuery],
    options: AnalyzeOptions,
    known: lock.Entry | None,
    analyze: Analyze,
) -> Outcome:
    """Return the analysis of every query, asking the analyser only for those that changed."""
    key = lock.schema_key(entry, schema, options)
    keys = tuple(lock.query_key(key, query) for query in queries)
    usable = known if known and known.schema == key else None
    found = {
        query_key: _restore(usable, query_key, query)
        for query_key, query in zip(keys, queries, strict=True)
        if usable and query_key in usable.queries
    }
    if usable and all(found.get(query_key) for query_key in keys):
        warnings = _warnings_of(usable, keys, queries, schema)
        if warnings is not None:
            typed = tuple(query for name in keys if (query := found[name]))
            analysis = Analysis(usable.catalog, typed, usable.server_version)
            return Outcome(analysis, warnings, lock.Locked(key, keys, analysis, warnings))
    return _analyze_rest(key, keys, schema, queries, options, found, analyze)


_MOST_RESTORED = 20_000
_restored: dict[str, TypedQuery] = {}  # known in this process, by key


def _restore(known: lock.Entry, key: str, parsed: ParsedQuery) -> TypedQuery | None:
    """Return a remembered query: the same object as before where nothing of it has changed."""
    before = _restored.get(key)
    if before is not None and before.parsed is parsed:
        return before
    query = lock.restore(known.queries[key], parsed)
    if query is not None:
        _keep(key, query)
    return query


def _keep(key: str, query: TypedQuery) -> None:
    if len(_restored) > _MOST_RESTORED:
        _restored.clear()
    _restored[key] = query


def _warnings_of(
    known: lock.Entry,
    keys: tuple[str, ...],
    queries: Sequence[ParsedQuery],
    schema: Sequence[SchemaFile],
) -> tuple[Diagnostic, ...] | None:
    """Return the remembered warnings; None where their places may have moved since."""
    if not known.warnings:
        return ()
    if known.complete != lock.complete_key(keys, queries):
        return None
    files = {str(query.file.path): query.file for query in queries}
    files |= {str(part.file.path): part.file for part in schema}
    return tuple(lock.restore_warnings(known, files))


def _analyze_rest(
    key: str,
    keys: tuple[str, ...],
    schema: Sequence[SchemaFile],
    queries: Sequence[ParsedQuery],
    options: AnalyzeOptions,
    found: dict[str, TypedQuery | None],
    analyze: Analyze,
) -> Outcome:
    rest = [query for name, query in zip(keys, queries, strict=True) if not found.get(name)]
    if len(rest) < len(queries) and not rest:
        rest = list(queries)  # only warnings have moved: ask again for all of them
    fresh, diagnostics = analyze(schema, rest, options)
    by_name = {query.parsed.name: query for query in fresh.queries}
    for name, parsed in zip(keys, queries, strict=True):
        new = by_name.get(parsed.name)
        found[name] = new or found.get(name)
        if new:
            _keep(name, new)
    typed = tuple(query for name in keys if (query := found[name]))
    analysis = Analysis(fresh.catalog, typed, fresh.server_version, fresh.facts)
    failed = any(item.severity is Severity.ERROR for item in diagnostics)
    # What was typed without asking a server is good enough to work with, not to be remembered.
    asked = bool(fresh.server_version) or not queries
    complete = len(typed) == len(keys) and not failed and asked
    locked = lock.Locked(key, keys, analysis, diagnostics) if complete else None
    return Outcome(analysis, diagnostics, locked)
