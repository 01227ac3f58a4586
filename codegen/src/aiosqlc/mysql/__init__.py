"""MySQL and MariaDB: types and nullability from the server's PREPARE, the rest from the text."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile


def analyze(
    schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    """Type the queries with a MySQL or MariaDB server, or from their text without one."""
    from aiosqlc.mysql import analyzer  # the drivers load slowly, and PostgreSQL's users need none

    return analyzer.analyze(schema, queries, options)
