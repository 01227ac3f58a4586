"""The state of a project: the last analysis, with older results for queries that now fail."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Catalog, SchemaFile, TypedQuery
from aiosqlc.lock.document import Known
from aiosqlc.parse.fragments import Fragment
from aiosqlc.parse.including import fragments_of
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.printing import Compiled
from aiosqlc.plan.model import PyFunction, PyModule
from aiosqlc.source import Dialect, SourceFile


class Entry(Struct, frozen=True, dict=True):
    """One configuration entry, with the data for the editor's requests.

    `files` are the absolute paths of the query files. `queries` has each query's last successful
    result by name. `modules` are the generated modules. `fragments` are the fragments in the query
    files.
    """

    settings: QuerySet
    files: frozenset[str] = frozenset()
    schema: tuple[SchemaFile, ...] = ()
    shims: tuple[SchemaFile, ...] = ()
    catalog: Catalog = field(default_factory=Catalog)
    queries: Mapping[str, TypedQuery] = field(default_factory=dict)
    modules: tuple[PyModule, ...] = ()
    fragments: Mapping[str, Fragment] = field(default_factory=dict)

    @cached_property
    def functions(self) -> Mapping[str, tuple[PyFunction, Path]]:
        """Return the generated functions and their files, by query name."""
        return {f.query_name: (f, module.path) for module in self.modules for f in module.functions}

    @property
    def dialect(self) -> Dialect:
        """Return the entry's SQL dialect."""
        return self.settings.engine


class Document(Struct, frozen=True):
    """A Python file with SQL literals after its analysis.

    The next analysis reuses the results in `known`.
    """

    entry: Entry
    diagnostics: tuple[Diagnostic, ...] = ()
    known: Known | None = None


class State(Struct, frozen=True):
    """A project after an analysis. The next analysis reuses the results in `locked`.

    `documents` are the open Python files with SQL literals, by path.
    """

    root: Path
    project: Project | None = None
    entries: tuple[Entry, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    locked: Mapping[str, Known] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)


def entry_of(part: Analysed, root: Path, compiled: Compiled, before: Entry | None) -> Entry:
    """Return the state of an entry; missing results are taken from the previous state."""
    inputs, analysis, settings = part.inputs, part.analysis, part.entry
    queries = {query.parsed.name: query for query in analysis.queries}
    if before:
        queries |= _still_there(before.queries, queries, inputs.files)
    planned = compiled.planned.get(settings.python.package) if settings.python else None
    modules = before.modules if before else ()
    if planned and planned.entry is settings:
        modules = planned.modules
    return Entry(
        settings,
        frozenset([absolute(root, file.path) for file in inputs.files]),
        inputs.schema if inputs.readable or not before else before.schema,
        inputs.shims,
        before.catalog if before and not analysis.catalog.tables else analysis.catalog,
        queries,
        modules,
        fragments_of(inputs.files, settings.engine),
    )


def absolute(root: Path, path: Path) -> str:
    """Return the absolute path of a file whose displayed path is relative to `root`.

    Keep symbolic links.
    """
    return os.path.abspath(root / path)  # noqa: PTH100  # `..` goes, links stay


def _still_there(
    older: Mapping[str, TypedQuery], now: Mapping[str, TypedQuery], files: Sequence[SourceFile]
) -> dict[str, TypedQuery]:
    """Return the last successful results of queries that are in the files but do not compile."""
    missing = [query for name, query in older.items() if name not in now]
    texts = {file.path: file.text for file in files} if missing else {}
    return {
        query.parsed.name: query
        for query in missing
        if f"name: {query.parsed.name}" in texts.get(query.parsed.file.path, "")
    }
