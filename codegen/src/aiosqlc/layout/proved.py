"""Format the queries of a file, except those whose equivalence is not proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiosqlc.layout.queries import Tidied, texts_of, tidy
from aiosqlc.layout.statement import WIDTH, LayoutStyle
from aiosqlc.source import Dialect, SourceFile, Span

Prove = Callable[[Sequence[tuple[str, str, str]]], Mapping[str, str]]
"""A function that returns, by query name, why two texts are not proved equivalent."""


@dataclass(frozen=True)
class Formatted:
    """A formatted file, and the reason for each query that was not changed."""

    tidied: Tidied
    left: Mapping[str, str] = field(default_factory=dict)


def format_file(
    file: SourceFile,
    dialect: Dialect,
    style: LayoutStyle,
    prove: Prove,
    within: Span | None = None,
    width: int = WIDTH,
) -> Formatted | None:
    """Return the formatted file with every change proved, or None if the file has errors."""
    found = tidy(file, dialect, style, within=within, width=width)
    if found is None or not found.changed:
        return Formatted(found) if found else None
    pairs = [
        (one.name, old, new)
        for one, other in found.changed
        for old, new in zip(texts_of(one), texts_of(other), strict=True)
    ]
    left = prove(pairs)
    if not left:
        return Formatted(found)
    rest = tidy(file, dialect, style, leave=left.keys(), within=within, width=width)
    return Formatted(rest, left) if rest else None
