"""Queries of projects on disk: the examples, the golden cases, and projects of others."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from aiosqlc.analysis.port import Analyze
from aiosqlc.config.load import load_project
from aiosqlc.ir import Command, ParsedQuery, SchemaFile
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.source import Dialect

from bench.soundness.model import Query, Suite
from tests.golden import CASES, copy_case

_EXAMPLES = Path(__file__).parents[2] / "examples"
_LEAST = 10  # queries of a golden case


def own_suites(analyze: Analyze) -> Iterator[Suite]:
    """Yield the examples, and the golden cases with several queries, each query once."""
    known: set[str] = set()
    for config in sorted(_EXAMPLES.glob("*/sqlc.yaml")):
        yield from _suites(analyze, config, f"examples/{config.parent.name}", "examples", known)
    for case in sorted(CASES.iterdir()):
        if case.is_dir():
            with tempfile.TemporaryDirectory() as folder:
                config = copy_case(case, Path(folder))
                for suite in _suites(analyze, config, f"cases/{case.name}", "cases", known):
                    if len(suite.queries) >= _LEAST:
                        yield suite


def other_suites(analyze: Analyze, root: Path, most: int) -> Iterator[Suite]:
    """Yield at most `most` projects below a folder, those with the most queries first."""
    known: set[str] = set()
    configs = sorted(p for name in ("sqlc.yaml", "sqlc.json") for p in root.rglob(name))
    found = [
        suite
        for config in configs
        for suite in _suites(analyze, config, f"other/{config.parent.name}", "other", known)
        if len(suite.queries) >= _LEAST
    ]
    found.sort(key=lambda suite: (-len(suite.queries), suite.name))
    for suite in found[:most]:
        yield Suite(suite.name, suite.statements, suite.queries, own=False)


def _suites(
    analyze: Analyze, config: Path, name: str, source: str, known: set[str]
) -> Iterator[Suite]:
    project, problems = load_project(config, environ={})
    if project is None or problems:
        return
    for entry in project.sets:
        if entry.engine is not Dialect.POSTGRESQL:
            continue
        inputs, mistakes = read_inputs(project, entry)
        if mistakes or not inputs.readable:
            continue
        analysis, _ = analyze(inputs.schema, inputs.queries, options_of(entry, inputs.shims))
        queries: list[Query] = []
        for typed in analysis.queries:
            plain = not typed.variants and not typed.embeds and not _is_special(typed.parsed)
            if plain and typed.sql not in known:
                known.add(typed.sql)
                queries.append(Query(f"q{len(queries)}", typed.sql.strip(), source))
        if queries:
            yield Suite(name, tuple(_statements(inputs.schema)), tuple(queries))


def _is_special(query: ParsedQuery) -> bool:
    """Return whether a query's text is more than one statement with plain parameters."""
    return any(param.is_slice for param in query.params) or query.command in _SPECIAL


_SPECIAL = {
    Command.COPYFROM, Command.BATCHEXEC, Command.BATCHMANY, Command.BATCHONE, Command.PAGE,
}  # fmt: skip


def _statements(schema: Sequence[SchemaFile]) -> Iterator[str]:
    for file in schema:
        for span in file.statements:
            yield file.sql[span.start : span.end].strip().rstrip(";")
