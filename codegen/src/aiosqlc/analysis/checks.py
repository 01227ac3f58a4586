"""Check that the command of each query, such as `:one`, fits the query's result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import Command, ParsedQuery, TypedQuery

_CHECKED = frozenset({Command.EXEC, Command.EXECROWS, Command.EXECRESULT, Command.BATCHEXEC})


def check_commands(queries: Iterable[TypedQuery]) -> list[Diagnostic]:
    """Warn about each query that discards the rows of its RETURNING clause."""
    return [
        Diagnostic(
            "E322",
            f"the rows that `{query.parsed.name}` returns are discarded",
            (
                Label(
                    query.parsed.file,
                    query.parsed.name_span,
                    f"`:{query.parsed.command}` with RETURNING",
                ),
            ),
            hint="use `:one` or `:many` to return the rows, or remove the RETURNING clause",
            severity=Severity.WARNING,
        )
        for query in queries
        if query.writes and _returns_values(query) and query.parsed.command in _CHECKED
    ]


def _returns_values(query: TypedQuery) -> bool:
    """Return whether a query has a column that is not `void`, the type that pg_notify returns."""
    return any(column.type.name != "void" for column in query.columns)


def without_ignored(
    diagnostics: Iterable[Diagnostic], queries: Sequence[ParsedQuery]
) -> list[Diagnostic]:
    """Drop the warnings that a query silences by `-- ignore: CODE reason`."""
    silenced = [query for query in queries if query.ignores]
    return [item for item in diagnostics if not any(_silences(query, item) for query in silenced)]


def _silences(query: ParsedQuery, diagnostic: Diagnostic) -> bool:
    if diagnostic.severity is Severity.ERROR or not diagnostic.labels:
        return False
    codes = {code for code, _ in query.ignores}
    return concerns(diagnostic, query) and bool(codes & {diagnostic.code, "all"})


def concerns(diagnostic: Diagnostic, query: ParsedQuery) -> bool:
    """Return whether a diagnostic points into a query or into a directive after the query."""
    for written in diagnostic.labels[:1]:
        label = written.home
        at = label.span.start
        if at < query.name_span.start or (
            label.file is not query.file and label.file != query.file
        ):
            return False
        return at <= max([query.span.end, *(part.span.end for part in query.dynamic)])
    return False
