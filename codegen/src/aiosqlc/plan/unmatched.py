"""Find overrides whose target does not exist, so that they have no effect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiosqlc.analysis.typenames import built_in_types, named, type_aliases, types_in
from aiosqlc.config.project import Override
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Analysis, SqlType
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.source import Dialect, SourceFile


def unmatched_overrides(
    overrides: Iterable[Override],
    analyses: Sequence[tuple[Analysis, Dialect]],
    config: SourceFile,
) -> list[Diagnostic]:
    """Return an error for each override whose target is missing from all configuration entries."""
    asked = tuple(dict.fromkeys(overrides))
    if not asked:
        return []
    columns = {name for analysis, _ in analyses for name in _columns(analysis)}
    results = {name for analysis, _ in analyses for name in _results(analysis)}
    known = [(engine, _types(analysis, engine)) for analysis, engine in analyses]
    found = []
    for item in asked:
        if item.db_type:
            if not any(_is_type(item.db_type, engine, types) for engine, types in known):
                found.append(_no_type(item, known, config))
        elif (item.query or item.column) not in (results if item.query else columns):
            found.append(_unmatched(item, results if item.query else columns, config))
    return found


def _types(analysis: Analysis, engine: Dialect) -> frozenset[SqlType]:
    return frozenset((*types_in(analysis), *built_in_types(engine)))


def _is_type(text: str, engine: Dialect, types: frozenset[SqlType]) -> bool:
    wanted = named(engine, text)
    return any(wanted.is_of(sql) or wanted.fits(sql) for sql in types)


def _no_type(
    override: Override, known: Sequence[tuple[Dialect, frozenset[SqlType]]], config: SourceFile
) -> Diagnostic:
    names = {sql.name for _, types in known for sql in types if sql.name}
    names |= {name for engine, _ in known for name in type_aliases(engine)}
    return Diagnostic(
        "E340",
        f"there is no type with the name `{override.db_type}`",
        (Label(config, override.span, "this override has no effect"),),
        did_you_mean(
            override.db_type, sorted(names), otherwise="write the type as in a column declaration"
        ),
    )


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
    names = set(known)
    if "." not in name:  # `email` for `account.email`
        names = {full for full in names if full.rpartition(".")[2] == name} or names
        nearest = min(names, key=lambda full: (full.count("."), full), default="")
        if nearest.rpartition(".")[2] == name:
            form, names = f"`{'query' if override.query else 'column'}: {nearest}`", set()
    return Diagnostic(
        "E340",
        f"no {what} `{name}`",
        (Label(config, override.span, "this override has no effect"),),
        did_you_mean(name, sorted(names), otherwise=f"write {form}"),
    )
