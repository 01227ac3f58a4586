"""Compile an entry, and return the compiled queries, and the errors of the other queries."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiosqlc.config.convert import convert
from aiosqlc.config.load import load_project
from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.ir import ParsedQuery, TypedQuery
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.output import compare, write
from aiosqlc.pipeline.printing import Compiled, print_set
from msgspec.structs import replace

from tools.realworld.projects import Entry, read_document

_ATTEMPTS = 12  # each leaves out the queries whose names clash in the one before
_NAMED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'")
_NUMBER = re.compile(r"\d+")


@dataclass
class Ours:
    """The compiler's outcome for one entry.

    `causes` maps each failed query to the code and message of its error.
    """

    queries: list[str] = field(default_factory=list)
    compiled: list[str] = field(default_factory=list)
    causes: dict[str, tuple[str, str]] = field(default_factory=dict)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    seconds: float = 0.0
    analysed: Analysed | None = None


def compile_entry(entry: Entry, out: Path) -> Ours:
    """Compile an entry with its own configuration, but with other output folders."""
    ours = Ours()
    started = time.monotonic()
    config = entry.config.with_name(f".aiosqlc_{entry.name}.yaml")
    config.write_text(yaml.safe_dump(_with_outputs(entry, out), sort_keys=False), "utf-8")
    project, problems = load_project(config)
    general = [item for item in problems if item.severity is Severity.ERROR]
    ours.warnings += [_shape(item) for item in problems if item not in general]
    if project is None or general:
        ours.causes[""] = _shape(general[0]) if general else ("E000", "no project")
        return ours
    for analysed in analyze_project(project, reuse=False):
        ours.analysed = analysed
        _take(ours, analysed, general)
        ours.seconds = time.monotonic() - started
        kept = [q for q in analysed.analysis.queries if q.parsed.name not in ours.causes]
        files = _print(ours, project, analysed, kept)
        refused = write(compare(files.files, files.folders))
        ours.internal += [item.message for item in refused]
        ours.compiled = [name for name in ours.queries if name not in ours.causes]
    return ours


def _with_outputs(entry: Entry, out: Path) -> dict[str, Any]:
    """Return a copy of the configuration with only this entry, whose output folder is `out`.

    A file of version 1 is converted as `init` does.
    """
    document = dict(read_document(entry.config))
    if "packages" in document:
        only = {**document, "packages": [document["packages"][entry.number]]}
        document = convert(only, str(out)).document
        packages = document["sql"]
    else:
        packages = [dict(document["sql"][entry.number])]
    package = packages[0]
    package.pop("database", None)  # a server that is not ours
    gen = dict(package.get("gen") or {})
    gen["python"] = {**(gen.get("python") or {}), "out": str(out), "package": out.name}
    gen["json"] = {"out": str(out), "filename": "request.json"}
    return {**document, "sql": [{**package, "gen": gen}]}


def _take(ours: Ours, analysed: Analysed, general: list[Diagnostic]) -> None:
    """Group an entry's findings by query; findings without a query stop the entry."""
    typed = {query.parsed.name for query in analysed.analysis.queries}
    parsed = analysed.inputs.queries
    ours.queries = [query.name for query in parsed]
    errors = [item for item in analysed.diagnostics if item.severity is Severity.ERROR]
    for item in analysed.diagnostics:
        if item.severity is Severity.WARNING:
            ours.warnings.append(_shape(item))
            continue
        query = _query_of(item, parsed)
        for name in (*item.costs, *([query.name] if query else [])):
            ours.causes.setdefault(name, _shape(item))
    stopping = [item for item in errors if _query_of(item, parsed) is None] + general
    for name in ours.queries:
        if name not in typed and name not in ours.causes:
            ours.causes[name] = _shape(stopping[0]) if stopping else ("E000", "not typed")
    if stopping and not ours.queries:
        ours.causes[""] = _shape(stopping[0])


def _query_of(item: Diagnostic, queries: Sequence[ParsedQuery]) -> ParsedQuery | None:
    """Return the query that the first label of a finding points into, or None."""
    for label in item.labels[:1]:
        for query in queries:
            inside = query.span.start <= label.span.start <= query.span.end
            named = query.name_span == label.span
            if query.file.path == label.file.path and (inside or named):
                return query
    return None


def _print(
    ours: Ours, project: Project, analysed: Analysed, kept: Sequence[TypedQuery]
) -> Compiled:
    """Render the queries whose names do not clash."""
    for _ in range(_ATTEMPTS):
        into = Compiled()
        print_set(project, analysed.entry, replace(analysed.analysis, queries=tuple(kept)), into)
        errors = [item for item in into.diagnostics if item.severity is Severity.ERROR]
        if not errors:
            return into
        parsed = [query.parsed for query in kept]
        clashing: Mapping[str, Diagnostic] = {
            query.name: item for item in errors if (query := _query_of(item, parsed)) is not None
        }
        if not clashing:
            ours.internal += [f"{item.code} {item.message}" for item in errors[:3]]
            return Compiled()
        for name, item in clashing.items():
            ours.causes.setdefault(name, _shape(item))
        kept = [query for query in kept if query.parsed.name not in clashing]
    return Compiled()


def _shape(item: Diagnostic) -> tuple[str, str]:
    """Return the code and the message without names, so that errors with one cause are equal."""
    shape = _NUMBER.sub("N", _NAMED.sub("…", item.message.split("\n")[0]))
    return item.code, shape[:140]
