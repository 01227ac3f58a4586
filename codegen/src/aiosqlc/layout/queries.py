"""Format query files.

A query stays unchanged if formatting could change its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.ir import ParsedQuery
from aiosqlc.layout.statement import WIDTH, LayoutStyle, lay_out, same_tokens
from aiosqlc.parse.fragments import fragment_spans
from aiosqlc.parse.queries import parse_file
from aiosqlc.source import Dialect, SourceFile, Span

_COMMENT_BEHIND = re.compile(r"[ \t]*+;?+[ \t]*+(?:--|#|/\*)")
# Matches a run of blanks only from its first blank, without backtracking.
_BLANK_ENDS = re.compile(r"(?<![ \t])[ \t]++(?=\n|$)")


class Tidied(Struct, frozen=True):
    """A file before and after formatting, and the queries whose text has changed."""

    before: SourceFile
    after: SourceFile
    changed: tuple[tuple[ParsedQuery, ParsedQuery], ...] = ()


def tidy(
    file: SourceFile,
    dialect: Dialect,
    style: LayoutStyle,
    *,
    leave: Collection[str] = frozenset(),
    within: Span | None = None,
    width: int = WIDTH,
) -> Tidied | None:
    """Return the formatted file, or None if it has errors or formatting would change a query.

    The queries named in `leave` are unchanged, and so are all queries outside of `within` if it is
    set.
    """
    queries, problems = parse_file(file, dialect)
    if problems:
        return None
    after = SourceFile(
        file.path, "".join(_pieces(file.text, queries, dialect, style, leave, within, width))
    )
    again, problems = parse_file(after, dialect)
    if problems or list(map(_said, queries)) != list(map(_said, again)):
        return None
    if not all(
        same_tokens(old, new, dialect)
        for one, other in zip(queries, again, strict=True)
        for old, new in zip(texts_of(one), texts_of(other), strict=True)
    ):
        return None
    pairs = zip(queries, again, strict=True)
    return Tidied(file, after, tuple([pair for pair in pairs if pair[0].sql != pair[1].sql]))


def texts_of(query: ParsedQuery) -> list[str]:
    """Return every SQL text of a query: the main text, and the texts of the variants."""
    return [query.sql, *(variant.sql for variant in query.variants)]


def _pieces(
    text: str,
    queries: tuple[ParsedQuery, ...],
    dialect: Dialect,
    style: LayoutStyle,
    leave: Collection[str],
    within: Span | None,
    width: int,
) -> Iterator[str]:
    at = 0
    kept = fragment_spans(text, dialect)
    for query in queries:
        start, end = query.span.start, query.span.end
        outside = within and (end < within.start or start > within.end)
        yield text[at:start] if within else _stripped(text, at, start, kept)
        if outside or query.name in leave:
            yield text[start:end]
            at = end
            continue
        directed = bool(_COMMENT_BEHIND.match(text, end) or query.dynamic or query.hints)
        yield lay_out(text[start:end], dialect, style, width=width, keep_lines=directed)
        at = end
    if within:
        yield text[at:]
        return
    rest = _stripped(text, at, len(text), kept).rstrip("\n")
    yield f"{rest}\n" if rest else ""


def _stripped(text: str, start: int, end: int, kept: Sequence[Span]) -> str:
    """Return `text[start:end]` without blanks at the ends of lines, except in the spans `kept`."""
    found = ""
    for span in kept:
        if start <= span.start < end:
            found += _BLANK_ENDS.sub("", text[start : span.start]) + text[span.start : span.end]
            start = span.end
    return found + _BLANK_ENDS.sub("", text[start:end])


def _said(query: ParsedQuery) -> tuple[object, ...]:
    """Return all data of a query except its position and the layout of its SQL."""
    return (
        query.name, query.command, query.doc, query.heading, query.options, query.ignores,
        [line.rstrip() for line in query.comments],
        [replace(item, spans=()) for item in query.params],
        [item.table for item in query.embeds],
        [(item.target, item.python_type, item.not_null) for item in query.hints],
        [(part.kind, part.name, part.also, part.choices) for part in query.dynamic],
        len(query.variants),
    )  # fmt: skip
