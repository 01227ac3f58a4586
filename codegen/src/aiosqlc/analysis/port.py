"""The one function that the compiler needs of an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile

Analyze = Callable[
    [Sequence[SchemaFile], Sequence[ParsedQuery], AnalyzeOptions],
    tuple[Analysis, tuple[Diagnostic, ...]],
]
"""Types the queries; a user's mistake is among the diagnostics."""
