"""Convert the compiler's results to values of the Language Server Protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lsprotocol import types
from pygls.workspace import PositionCodec

from aiosqlc.lsp.fixes import meant
from aiosqlc.lsp.items import items
from aiosqlc.lsp.known import Entry
from aiosqlc.lsp.places import offset, span_range
from aiosqlc.lsp.text import blocks
from aiosqlc.lsp.views import View
from aiosqlc.messages.explained import type_name
from aiosqlc.source import SourceFile, Span

_ENDS_A_STRING = frozenset("'\"\\")
_FURTHER = re.compile(r"(?:\.\w+)+")


def symbols(codec: PositionCodec, file: SourceFile, entry: Entry) -> list[types.DocumentSymbol]:
    """Return the outline of a query file: one symbol for each named query."""
    return [
        types.DocumentSymbol(
            block.name,
            types.SymbolKind.Function,
            span_range(
                codec, file, Span(min(block.span.start, block.name_span.start), block.span.end)
            ),
            span_range(codec, file, block.name_span),
            detail=_detail(entry, block.name),
        )
        for block in blocks(file, entry.dialect)
        if block.name
    ]


def _detail(entry: Entry, name: str) -> str:
    query = entry.queries.get(name)
    return f":{query.parsed.command.value}" if query else ""


def hints(view: View, entry: Entry, within: Span) -> Iterator[types.InlayHint]:
    """Yield the type of each select item as an inlay hint; `?` marks a type that may be NULL."""
    for block in blocks(view.file, entry.dialect):
        query = entry.queries.get(block.name)
        if query is None or block.span.end < within.start or block.span.start > within.end:
            continue
        for item in items(block.tokens, query):
            place = view.range(item.span)
            if place and len(item.columns) == 1:
                [column] = item.columns
                text = f": {type_name(column.type)}{'' if column.not_null else '?'}"
                yield types.InlayHint(place.end, text, types.InlayHintKind.Type)


def fixes(
    codec: PositionCodec, file: SourceFile, uri: str, found: Sequence[types.Diagnostic]
) -> Iterator[types.CodeAction]:
    """Yield code actions for the replacements that the hints of diagnostics suggest."""
    for item in found:
        hint = item.data.get("hint", "") if isinstance(item.data, dict) else ""
        start, end = offset(codec, file, item.range.start), offset(codec, file, item.range.end)
        beyond = _FURTHER.match(file.text, end)
        if "." in hint and beyond:  # `a.nam` is reported by its first word
            end = beyond.end()
        word = meant(hint, file.text[start:end])
        if word is not None and not (uri.endswith(".py") and _ENDS_A_STRING & set(word)):
            edit = types.TextEdit(span_range(codec, file, Span(start, end)), word)
            yield types.CodeAction(
                f"Write `{word}`",
                types.CodeActionKind.QuickFix,
                diagnostics=[item],
                is_preferred=True,
                edit=types.WorkspaceEdit(changes={uri: [edit]}),
            )
