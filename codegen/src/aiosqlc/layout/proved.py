"""Formats a query file as far as it is proved to mean the same; the rest stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiosqlc.layout.queries import Tidied, texts_of, tidy
from aiosqlc.layout.statement import WIDTH, LayoutStyle
from aiosqlc.parse.scanner import Dialect
from aiosqlc.source import SourceFile, Span

Prove = Callable[[Sequence[tuple[str, str, str]]], Mapping[str, str]]
"""Says of queries, each a name and two texts, why they are not proved to be the same."""


@dataclass(frozen=True)
class Formatted:
    """A file laid out, and the queries that were left as they are: why, by name."""

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
    """Return a file laid out, every query that changes proved; None where it has mistakes."""
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
