"""Format each query of a file if its formatted text is proved equivalent to the original."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field

from aiosqlc.ir import ParsedQuery
from aiosqlc.layout.queries import Tidied, texts_of, tidy
from aiosqlc.layout.statement import WIDTH, LayoutStyle
from aiosqlc.parse.fragments import has_fragments
from aiosqlc.parse.queries import parse_files
from aiosqlc.source import Dialect, SourceFile, Span

Prove = Callable[[Sequence[tuple[str, str, str]]], Mapping[str, str]]
"""A function that returns, by query name, the reason why two texts are not proved equivalent."""


class Formatted(Struct, frozen=True):
    """A formatted file, with the reason for each query that was left unchanged."""

    tidied: Tidied
    left: Mapping[str, str] = field(default_factory=dict)


def format_file(
    file: SourceFile,
    dialect: Dialect,
    style: LayoutStyle,
    prove: Prove,
    within: Span | None = None,
    width: int = WIDTH,
    library: Iterable[SourceFile] = (),
) -> Formatted | None:
    """Return the formatted file with every change proved, or None if the file has errors.

    `library` are further files whose fragments the queries may include.
    """
    found = tidy(file, dialect, style, within=within, width=width)
    if found is None or not found.changed:
        return Formatted(found) if found else None
    pairs = [
        (one.name, old, new)
        for one, other in _expanded(found, dialect, tuple(library))
        for old, new in zip(texts_of(one), texts_of(other), strict=True)
    ]
    left = prove(pairs)
    if not left:
        return Formatted(found)
    rest = tidy(file, dialect, style, leave=left.keys(), within=within, width=width)
    return Formatted(rest, left) if rest else None


def _expanded(
    found: Tidied, dialect: Dialect, library: Sequence[SourceFile]
) -> Sequence[tuple[ParsedQuery, ParsedQuery]]:
    """Return the changed queries that include fragments, before and after formatting."""
    if not has_fragments(found.before.text):
        return found.changed
    before, after = (
        {query.name: query for query in parse_files([file], dialect, library=library)[0]}
        for file in (found.before, found.after)
    )
    # A query whose includes cannot be expanded is left as it is: the server refuses the include.
    return [(before.get(one.name, one), after.get(one.name, other)) for one, other in found.changed]
