"""Analyse projects one after another, and keep their database servers running."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from aiosqlc.analysis.hints import apply_hints
from aiosqlc.config.load import load_project
from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Severity
from aiosqlc.engines import engine_for
from aiosqlc.files import find_sql_files
from aiosqlc.ir import TypedQuery
from aiosqlc.lock.reading import known_of
from aiosqlc.lsp.known import Entry, State, absolute, entry_of
from aiosqlc.lsp.python_documents import analyse as analyse_document
from aiosqlc.lsp.python_documents import opened, python_texts
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.analyzing import analyze_project, in_source_order
from aiosqlc.pipeline.compile import compile_parts
from aiosqlc.store.disk import show_unsaved
from aiosqlc.store.memo import grow_old

_ROUNDS = 200  # analyses between two full garbage collections
_AGE = 50  # analyses after which an unused text is dropped from the caches


class AnalysisWorker:
    """Runs the compiler for the language server on one thread, because calls must not overlap."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._engine = cache(lambda engine: self._stack.enter_context(engine_for(engine)))
        self._rounds = 0

    def close(self) -> None:
        """Stop the database servers."""
        self._stack.close()

    def analyse(self, config: Path, texts: Mapping[str, bytes], before: State | None) -> State:
        """Compile a project with the texts of the editor instead of the files on disk.

        For queries that are broken now, the results in `before` are used. Unchanged queries are not
        analysed again.
        """
        show_unsaved(texts)
        project, problems = load_project(config)
        root = config.parent
        if project is None or any(item.severity is Severity.ERROR for item in problems):
            older = before or State(root)
            return replace(older, project=older.project, diagnostics=tuple(problems))
        locked = dict(before.locked) if before else {}
        gc.disable()  # until `tidy_up`, because most new objects are kept
        parts = list(
            analyze_project(
                project, None, lambda engine: self._engine(engine).analyze, known=locked
            )
        )
        compiled = compile_parts(project, parts, check_only=True)
        locked |= {name: known_of(found) for name, found in compiled.locked.items()}
        older_entries = {entry.settings.index: entry for entry in before.entries} if before else {}
        entries = tuple(
            entry_of(part, root, compiled, older_entries.get(part.entry.index)) for part in parts
        )
        documents = {
            name: analyse_document(
                project,
                one,
                self._engine(one.part.entry.engine).analyze,
                locked.get(str(one.part.entry.index)),
                before.documents.get(name) if before else None,
            )
            for name, one in opened(python_texts(texts), config, parts).items()
        }
        said = [item for document in documents.values() for item in document.diagnostics]
        found = in_source_order([*problems, *compiled.diagnostics, *said])
        return State(root, project, entries, tuple(found), locked, documents)

    def explained(self, entry: Entry, query: TypedQuery) -> TypedQuery:
        """Return a query with the reasons for its types, which the lock file does not store."""
        options = options_of(entry.settings, entry.shims)
        found, _ = self._engine(entry.dialect).analyze(entry.schema, [query.parsed], options)
        analysis, _ = apply_hints(found)
        return next(iter(analysis.queries), query)

    def query_plan(self, entry: Entry, query: TypedQuery) -> list[str]:
        """Return the database server's query plan as lines."""
        options = options_of(entry.settings, entry.shims)
        engine = self._engine(entry.dialect)
        plan = engine.query_plan(entry.schema, query, options)
        return [f"plan, on {engine.planned_on}:", *engine.plan_lines(plan)] if plan else []

    def prove(self, entry: Entry, pairs: Sequence[tuple[str, str, str]]) -> Mapping[str, str]:
        """Return, by query name, the reason why two SQL texts are not proved equivalent."""
        options = options_of(entry.settings, entry.shims)
        return self._engine(entry.dialect).unproved(entry.schema, options, pairs)

    def sample(self, entry: Entry, query: TypedQuery) -> list[str]:
        """Run a query on generated rows and return the result as lines."""
        if entry.settings.database_uri and not entry.schema:
            return [
                "without a schema, queries run on your own database: no sample rows are inserted"
            ]
        options = options_of(entry.settings, entry.shims)
        return self._engine(entry.dialect).sample(entry.schema, query, options)

    def functions(self, entry: Entry, name: str) -> list[tuple[str, str]]:
        """Return the server's functions with this name, with their signatures."""
        options = options_of(entry.settings, entry.shims)
        return self._engine(entry.dialect).signatures(entry.schema, options, name)

    def tidy_up(self) -> None:
        """Run the garbage collector after an analysis, but rarely a full collection.

        First drop cached results for texts that no longer exist.
        """
        self._rounds += 1
        if self._rounds % _AGE == 1:
            grow_old()
        if self._rounds % _ROUNDS == 1:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        else:
            gc.collect(1)
        gc.enable()


def sources_of(config: Path) -> frozenset[str]:
    """Return the absolute paths of all files that a project reads, with its configuration."""
    project, _ = load_project(config)
    own = absolute(config.parent, Path(config.name))
    return frozenset({own, *_sql_files(project)}) if project else frozenset({own})


def _sql_files(project: Project) -> list[str]:
    found: list[Path] = []
    for entry in project.sets:
        for patterns in (entry.schema, entry.queries, entry.shims):
            found += find_sql_files(project.root, patterns, project.file, entry.span)[0]
    return [os.path.abspath(path) for path in found]  # noqa: PTH100  # `..` goes, links stay
