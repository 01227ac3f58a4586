"""Return semantic tokens of a query file, which highlight names that a grammar cannot recognize."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol import types
from pygls.workspace import PositionCodec

from aiosqlc.lsp.known import Entry
from aiosqlc.lsp.places import position
from aiosqlc.lsp.scope import columns_named, sources
from aiosqlc.lsp.text import Block, blocks
from aiosqlc.parse.macros import ROWS, find_uses
from aiosqlc.parse.scanner import Kind, unquote
from aiosqlc.source import SourceFile, Span

LEGEND = types.SemanticTokensLegend(
    ["function", "keyword", "macro", "parameter", "struct", "variable", "property"], []
)
_COMMAND = re.compile(r"name:\s*\w+\s+(?P<command>:\w+)")
_DIRECTIVE = re.compile(r"--\s*(?P<word>:\w+)")
Word = tuple[Span, str]


def semantic_tokens(codec: PositionCodec, file: SourceFile, entry: Entry) -> list[int]:
    """Return the tokens as the protocol encodes them, each relative to the previous token."""
    data: list[int] = []
    line = column = 0
    for span, kind in words(file, entry):
        start, end = position(codec, file, span.start), position(codec, file, span.end)
        if start.line != end.line:
            continue
        column = column if start.line == line else 0
        length = end.character - start.character
        sort = LEGEND.token_types.index(kind)
        data += [start.line - line, start.character - column, length, sort, 0]
        line, column = start.line, start.character
    return data


def words(file: SourceFile, entry: Entry) -> Iterator[Word]:
    """Yield the tokens to highlight, except SQL keywords, in order and without overlaps."""
    for block in blocks(file, entry.dialect):
        end = -1
        for span, kind in sorted(_words(file, entry, block)):
            if span.start >= end:
                yield span, kind
                end = span.end


def _words(file: SourceFile, entry: Entry, block: Block) -> Iterator[Word]:
    if block.name:
        yield block.name_span, "function"
    for comment in block.comments:
        for pattern, group in ((_COMMAND, "command"), (_DIRECTIVE, "word")):
            if found := pattern.search(comment.text):
                start = comment.start + found.start(group)
                yield Span(start, start + len(found[group])), "keyword"
    uses, _ = find_uses(file, list(block.tokens), entry.dialect)
    for use in uses:
        macro = file.text.find("(", use.span.start, use.span.end)
        if macro > 0 and file.text.startswith("sqlc", use.span.start):
            yield Span(use.span.start, macro), "macro"
        if use.macro not in ROWS and use.name_span.end > use.name_span.start:
            yield use.name_span, "parameter"
    yield from _names(entry, block)


def _names(entry: Entry, block: Block) -> Iterator[Word]:
    scope = sources(block.tokens, entry.catalog)
    aliases = {source.alias.lower() for source in scope}
    named = {source.token.start for source in scope}
    for at, token in enumerate(block.tokens):
        if token.kind not in {Kind.NAME, Kind.QUOTED}:
            continue
        word = unquote(token)
        qualified = at > 1 and block.tokens[at - 1].text == "."
        qualifies = at + 1 < len(block.tokens) and block.tokens[at + 1].text == "."
        alias = unquote(block.tokens[at - 2]) if qualified else ""
        if token.start in named:
            yield token.span, "struct"
        elif not qualified and qualifies and word.lower() in aliases:
            yield token.span, "variable"
        elif any(columns_named(scope, word, alias)):
            yield token.span, "property"
        elif not qualified and word.lower() in aliases:
            yield token.span, "variable"
