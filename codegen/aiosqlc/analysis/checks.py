"""What can be wrong with a query the server accepts: its command and its result do not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import Command, ParsedQuery, TypedQuery

_CHECKED = frozenset({Command.EXEC, Command.EXECROWS, Command.EXECRESULT, Command.BATCHEXEC})


def check_commands(queries: Iterable[TypedQuery]) -> list[Diagnostic]:
    """Check each query's command against what it returns."""
    found = (_check(query) for query in queries)
    return [problem for problem in found if problem]


def _check(query: TypedQuery) -> Diagnostic | None:
    parsed = query.parsed
    if parsed.command in _CHECKED and query.columns and query.writes:
        return Diagnostic(
            "E322",
            f"the rows that `{parsed.name}` returns are thrown away",
            (Label(parsed.file, parsed.name_span, f"`:{parsed.command}` with RETURNING"),),
            hint="use `:one` or `:many`, or drop the RETURNING clause",
            severity=Severity.WARNING,
        )
    return None


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
    """Whether the first place a diagnostic shows lies in a query, or in a directive behind it."""
    for label in diagnostic.labels[:1]:
        end = max([query.span.end, *(part.span.end for part in query.dynamic)])
        inside = query.name_span.start <= label.span.start <= end
        return inside and label.file == query.file
    return False
