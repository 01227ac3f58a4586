"""Finds overrides of columns that are not there: they would change nothing, without a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiosqlc.config.project import Override
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Analysis
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.source import SourceFile


def unmatched_overrides(
    overrides: Iterable[Override], analyses: Sequence[Analysis], config: SourceFile
) -> list[Diagnostic]:
    """Return an error for each override of a column that no entry of the configuration has."""
    asked = [item for item in dict.fromkeys(overrides) if item.column or item.query]
    if not asked:
        return []
    columns = {name for analysis in analyses for name in _columns(analysis)}
    results = {name for analysis in analyses for name in _results(analysis)}
    return [
        _unmatched(item, results if item.query else columns, config)
        for item in asked
        if (item.query or item.column) not in (results if item.query else columns)
    ]


def _columns(analysis: Analysis) -> Iterable[str]:
    for table in analysis.catalog.tables:
        for column in table.columns:
            yield f"{table.name}.{column.name}"
            yield f"{table.schema}.{table.name}.{column.name}"


def _results(analysis: Analysis) -> Iterable[str]:
    for query in analysis.queries:
        for name in [c.name for c in query.columns] + [p.name for p in query.params]:
            yield f"{query.parsed.name}.{name}"


def _unmatched(override: Override, known: Iterable[str], config: SourceFile) -> Diagnostic:
    name = override.query or override.column
    what = "query has a column or parameter" if override.query else "table has a column"
    form = "`query: GetUser.prefs`" if override.query else "`column: user.prefs`"
    return Diagnostic(
        "E340",
        f"no {what} `{name}`",
        (Label(config, override.span, "this override has no effect"),),
        did_you_mean(name, sorted(known), otherwise=f"write {form}"),
    )
