"""MySQL and MariaDB: infer types and nullability with PREPARE and from the SQL text."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile


def analyze(
    schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    """Infer the queries' types with a MySQL or MariaDB server, or only from their SQL text."""
    from aiosqlc.mysql import analyzer  # the drivers load slowly, and PostgreSQL needs none of them

    return analyzer.analyze(schema, queries, options)
