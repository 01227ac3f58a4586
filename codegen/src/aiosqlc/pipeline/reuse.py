"""Analyse only the queries whose results are not in the lock.

No server is needed for unchanged input.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.checks import concerns
from aiosqlc.analysis.port import Analyze
from aiosqlc.config.project import QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile, TypedQuery
from aiosqlc.lock.document import Known, Locked
from aiosqlc.lock.head import as_locked
from aiosqlc.lock.keys import complete_key, schema_key
from aiosqlc.lock.reading import known_of, restore, restore_warnings
from aiosqlc.store.memo import Recent


class Outcome(Struct, frozen=True):
    """An analysis with its diagnostics, and the data for the lock if there is no error."""

    analysis: Analysis
    diagnostics: tuple[Diagnostic, ...]
    locked: Locked | None


def analyze_changed(
    entry: QuerySet,
    schema: Sequence[SchemaFile],
    queries: Sequence[ParsedQuery],
    options: AnalyzeOptions,
    known: Known | None,
    analyze: Analyze,
    *,
    reuse: bool = True,
) -> Outcome:
    """Return the analysis of every query, calling the analyser only for changed queries.

    With `reuse`, results in this process's cache are used too, because a project with errors writes
    no lock.
    """
    key = _key(entry, schema, options, known)
    keys = tuple([query.question for query in queries])
    usable = _usable(key, known, reuse=reuse)
    found: dict[str, TypedQuery | None] = {}
    if usable:
        for name, parsed in zip(keys, queries, strict=True):
            found[name] = _restore(usable, name, parsed)
    if usable and all(found.get(name) for name in keys):
        warnings = _warnings_of(usable, keys, queries, schema)
        if warnings is not None:
            typed = tuple([query for name in keys if (query := found[name])])
            analysis = Analysis(usable.catalog, typed, usable.server_version)
            return Outcome(analysis, warnings, Locked(key, keys, analysis, warnings))
    if usable:
        # The warnings of these queries are reported again.
        for name in {item.query for item in usable.warnings}:
            found.pop(name, None)
    outcome = _analyze_rest(key, keys, schema, queries, options, found, analyze)
    if usable and _another_server(usable, outcome):
        usable = None
        outcome = _analyze_rest(key, keys, schema, queries, options, {}, analyze)
    _unfinished.drop(key)
    if outcome.locked is None and _is_about_queries(outcome, queries) and entry.schema:
        of_schema = tuple(
            item
            for item in outcome.diagnostics
            if not any(concerns(item, query) for query in queries)
        )
        part = Locked(key, (), replace(outcome.analysis, queries=()), of_schema)
        _unfinished.put(key, known_of(part))
    return outcome


def reusable(
    entry: QuerySet,
    schema: Sequence[SchemaFile],
    options: AnalyzeOptions,
    known: Known | None,
    *,
    reuse: bool = True,
) -> Known | None:
    """Return the earlier results for a schema, or None if every query must be analysed."""
    known = known if entry.schema else None
    return _usable(_key(entry, schema, options, known), known, reuse=reuse)


def _key(
    entry: QuerySet, schema: Sequence[SchemaFile], options: AnalyzeOptions, known: Known | None
) -> str:
    key = schema_key(entry, schema, options)
    return as_locked(key, known.schema) if known else key


def _usable(key: str, known: Known | None, *, reuse: bool) -> Known | None:
    usable = known if known and known.schema == key else None
    return _unfinished.get(key) if usable is None and reuse else usable


def _another_server(known: Known, outcome: Outcome) -> bool:
    """Return whether the lock was written with another server version than the current one."""
    now = outcome.analysis.server_version
    return bool(now and known.server_version and now != known.server_version)


def _is_about_queries(outcome: Outcome, queries: Sequence[ParsedQuery]) -> bool:
    """Return whether a server was used, and every error is in a query and not in the schema."""
    errors = [item for item in outcome.diagnostics if item.severity is Severity.ERROR]
    return bool(outcome.analysis.server_version) and all(
        any(concerns(item, query) for query in queries) for item in errors
    )


_restored: Recent[tuple[str, str], TypedQuery] = Recent()  # valid results by schema and question
_unfinished: Recent[str, Known] = Recent(20)  # by schema; `_restored` contains the queries


def _restore(known: Known, key: str, parsed: ParsedQuery) -> TypedQuery | None:
    """Restore a query from the lock; a query that did not change stays the same object."""
    before = known.queries.get(key)
    if isinstance(before, TypedQuery) and before.parsed is parsed:
        return before
    before = _restored.get((known.schema, key)) or before
    if before is None:
        return None
    query = restore(before, parsed, known.catalog)
    if query is not None and query is not before:
        _restored.put((known.schema, key), query)
    return query


def _warnings_of(
    known: Known,
    keys: tuple[str, ...],
    queries: Sequence[ParsedQuery],
    schema: Sequence[SchemaFile],
) -> tuple[Diagnostic, ...] | None:
    """Return the stored warnings, or None if a query with a warning may have moved."""
    if not known.warnings:
        return ()
    of_queries = any(item.query for item in known.warnings)
    if of_queries and known.complete != complete_key(keys, queries):
        return None
    files = {str(query.file.path): query.file for query in queries}
    files |= {str(part.file.path): part.file for part in schema}
    return tuple(restore_warnings(known, files))


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
        rest = list(queries)  # only warnings have moved, so all queries are analysed again
    fresh, diagnostics = analyze(schema, rest, options)
    # Results without a server are usable now, but are not stored.
    asked = bool(fresh.server_version) or not queries
    by_name = {query.parsed.name: query for query in fresh.queries}
    said: defaultdict[Path, list[Diagnostic]] = defaultdict(list)
    for item in diagnostics:
        for label in item.labels[:1]:
            said[label.file.path].append(item)
    for name, parsed in zip(keys, queries, strict=True):
        new = by_name.get(parsed.name)
        found[name] = new or found.get(name)
        if new and asked and not any(concerns(item, parsed) for item in said[parsed.file.path]):
            _restored.put((key, name), new)
    typed = tuple(query for name in keys if (query := found[name]))
    analysis = Analysis(fresh.catalog, typed, fresh.server_version, fresh.facts)
    failed = any(item.severity is Severity.ERROR for item in diagnostics)
    complete = len(typed) == len(keys) and not failed and asked
    locked = Locked(key, keys, analysis, diagnostics) if complete else None
    return Outcome(analysis, diagnostics, locked)
