"""The interface between the compiler and an engine's analyser."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile

Analyze = Callable[
    [Sequence[SchemaFile], Sequence[ParsedQuery], AnalyzeOptions],
    tuple[Analysis, tuple[Diagnostic, ...]],
]
"""An analyser infers the queries' types, and reports a user's mistakes as diagnostics."""
