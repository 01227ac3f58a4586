"""Find the Python types that hints in comments specify."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.analysis.hints import PARAM
from aiosqlc.config.project import Override
from aiosqlc.ir import TypedQuery


def hinted_types(queries: Iterable[TypedQuery]) -> tuple[Override, ...]:
    """Return the types in the queries' hints, as overrides for columns and parameters."""
    return tuple(
        Override(
            span=hint.span,
            python_type=hint.python_type,
            query=f"{query.parsed.name}.{hint.target.removeprefix(PARAM)}",
            only="param" if hint.target.startswith(PARAM) else "column",
        )
        for query in queries
        for hint in query.parsed.hints
        if hint.python_type
    )
