"""Move a parsed query to its new position after an edit elsewhere in the file."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from aiosqlc.ir import Paging, ParsedQuery, Variant
from aiosqlc.source import ExpandedFile, SourceFile, SourceMap, Span


def moved(query: ParsedQuery, file: SourceFile, by: int) -> ParsedQuery:
    """Return a copy of a query for the edited `file`, in which it is `by` characters later."""
    if not by:
        return query.placed(file=file)

    def at(span: Span) -> Span:
        return Span(span.start + by, span.end + by)

    def mapped(found: SourceMap, _: int) -> SourceMap:
        return SourceMap(tuple([(out, src + by, copied) for out, src, copied in found.pieces]))

    return _placed(query, file, at, at, mapped)


def expanded_from(query: ParsedQuery, file: ExpandedFile, found: SourceMap) -> ParsedQuery:
    """Return a query that was parsed from an expanded text, with positions in the user's file.

    `found` maps positions in the expanded text to positions in the user's files. Tokens of a
    fragment get positions in the fragment. The query, its name and its hints get positions in the
    file.
    """

    def home(span: Span) -> Span:
        return file.home(found.over(span))

    return _placed(query, file, home, found.over, found.after)


def _placed(
    query: ParsedQuery,
    file: SourceFile,
    home: Callable[[Span], Span],
    at: Callable[[Span], Span],
    mapped: Callable[[SourceMap, int], SourceMap],
) -> ParsedQuery:
    """Return a query with new positions.

    `home` returns the new span of a part that is always in the query file, and `at` returns the new
    span of a token. `mapped` returns the new source map for a text, given the old map and the
    text's length.
    """

    def variants(found: tuple[Variant, ...]) -> tuple[Variant, ...]:
        return tuple(
            [replace(item, source_map=mapped(item.source_map, len(item.sql))) for item in found]
        )

    def paging(found: Paging) -> Paging:
        keys = tuple([replace(key, span=at(key.span)) for key in found.keys])
        outputs = tuple([replace(one, span=at(one.span)) for one in found.outputs])
        return replace(found, keys=keys, outputs=outputs, probes=variants(found.probes))

    return query.placed(
        file=file,
        source_map=mapped(query.source_map, len(query.sql)),
        name_span=home(query.name_span),
        span=home(query.span),
        params=tuple([replace(item, spans=tuple(map(at, item.spans))) for item in query.params]),
        embeds=tuple([replace(item, span=at(item.span)) for item in query.embeds]),
        hints=tuple([replace(item, span=home(item.span)) for item in query.hints]),
        dynamic=tuple([replace(item, span=home(item.span)) for item in query.dynamic]),
        variants=variants(query.variants),
        paging=query.paging and paging(query.paging),
    )
