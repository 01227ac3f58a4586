"""Handle internal errors of the compiler: report the query, and continue with the others."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from aiosqlc.analysis.port import Analyze
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile

CODE: Final = "E900"
EXIT: Final = 70  # EX_SOFTWARE of sysexits.h
_HERE = Path(__file__).parents[1]


def surviving(analyze: Analyze) -> Analyze:
    """Return an analyser that skips and reports queries on which the compiler crashes."""

    def analyze_others(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        try:
            return analyze(schema, queries, options)
        except ImportError:  # a missing driver, which `main` reports by name
            raise
        except Exception:  # any exception, because one query must not affect the others
            broken = culprits(lambda some: analyze(schema, some, options), queries)
            if not broken:
                raise  # the error does not concern a query
        others = [query for query in queries if query not in broken]
        analysis, found = analyze(schema, others, options)
        return analysis, (*found, *(internal_error(q, error) for q, error in broken.items()))

    return analyze_others


def culprits(
    run: Callable[[list[ParsedQuery]], object], queries: Sequence[ParsedQuery]
) -> dict[ParsedQuery, Exception]:
    """Return the queries that make `run` fail; they are found by bisection."""
    if not queries:
        return {}
    try:
        run(list(queries))
    except Exception as error:  # noqa: BLE001 - any exception
        if len(queries) == 1:
            return {queries[0]: error}
        half = len(queries) // 2
        return {**culprits(run, queries[:half]), **culprits(run, queries[half:])}
    return {}


def internal_error(query: ParsedQuery, error: Exception) -> Diagnostic:
    """Return the diagnostic for a query on which the compiler crashed."""
    return Diagnostic(
        CODE,
        f"internal error in {query.name}: {type(error).__name__}: {error}",
        (Label(query.file, query.name_span, "this is a bug in aiosqlc, not in your code"),),
        f"`aiosqlc report {query.file.path.name}:{query.name}` prints a bug report"
        " without literals and comments",
        notes=tuple(frames(error)[-1:]),
    )


def frames(error: Exception) -> list[str]:
    """Return the lines of a traceback that are in the compiler's files, outermost first."""
    return [
        f"at {Path(frame.filename).relative_to(_HERE).as_posix()}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(_HERE)
    ]


def exit_code(diagnostics: Sequence[Diagnostic]) -> int:
    """Return the exit code of a run with errors: 70 for an internal error, or else 1."""
    return EXIT if any(item.code == CODE for item in diagnostics) else 1
