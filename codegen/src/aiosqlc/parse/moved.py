"""Move a parsed query to its new position after an edit elsewhere in the file."""

from __future__ import annotations

from dataclasses import replace

from aiosqlc.ir import ParsedQuery
from aiosqlc.source import ExpandedFile, SourceFile, SourceMap, Span


def moved(query: ParsedQuery, file: SourceFile, by: int) -> ParsedQuery:
    """Return the query as parsed from `file`, with its positions moved by `by` characters."""
    if not by:
        return query.placed(file=file)

    def at(span: Span) -> Span:
        return Span(span.start + by, span.end + by)

    def mapped(found: SourceMap) -> SourceMap:
        return SourceMap(tuple([(out, src + by, copied) for out, src, copied in found.pieces]))

    return query.placed(
        file=file,
        source_map=mapped(query.source_map),
        name_span=at(query.name_span),
        span=at(query.span),
        params=tuple([replace(item, spans=tuple(map(at, item.spans))) for item in query.params]),
        embeds=tuple([replace(item, span=at(item.span)) for item in query.embeds]),
        hints=tuple([replace(item, span=at(item.span)) for item in query.hints]),
        dynamic=tuple([replace(item, span=at(item.span)) for item in query.dynamic]),
        variants=tuple(
            [replace(item, source_map=mapped(item.source_map)) for item in query.variants]
        ),
    )


def expanded_from(query: ParsedQuery, file: ExpandedFile, found: SourceMap) -> ParsedQuery:
    """Return a query that was parsed from an expanded text, with positions in the user's file.

    `found` maps the parsed text to the file. Tokens of fragments stay in the fragments, but the
    query itself, its name and its hints are in the file.
    """

    def home(span: Span) -> Span:
        return file.home(found.over(span))

    return query.placed(
        file=file,
        source_map=found.after(query.source_map, len(query.sql)),
        name_span=home(query.name_span),
        span=home(query.span),
        params=tuple(
            [replace(item, spans=tuple(map(found.over, item.spans))) for item in query.params]
        ),
        embeds=tuple([replace(item, span=found.over(item.span)) for item in query.embeds]),
        hints=tuple([replace(item, span=home(item.span)) for item in query.hints]),
        dynamic=tuple([replace(item, span=home(item.span)) for item in query.dynamic]),
        variants=tuple(
            [
                replace(item, source_map=found.after(item.source_map, len(item.sql)))
                for item in query.variants
            ]
        ),
    )
