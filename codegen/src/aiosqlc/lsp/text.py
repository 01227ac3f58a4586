"""Split a query file into blocks, one per query, even if the queries are invalid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.source import Dialect, SourceFile, Span

_NAME_LINE = re.compile(r"(?:--|/\*|#)\s*name:\s*(?P<name>\w+)")


class Block(Struct, frozen=True):
    """The lines of a query: the comments above the statement, and the whole statement.

    `tokens` are the statement's tokens. `comments` are the comments above and inside the statement.
    """

    name: str
    name_span: Span
    span: Span
    tokens: tuple[Token, ...]
    comments: tuple[Token, ...]

    @property
    def start(self) -> int:
        """Return the offset of the statement's first word."""
        return self.tokens[0].start if self.tokens else self.span.end


@lru_cache(maxsize=16)
def blocks(file: SourceFile, dialect: Dialect) -> tuple[Block, ...]:
    """Split a file at its semicolons, and before `-- name:` comments if a semicolon is missing."""
    return tuple(_blocks(file.text, dialect))


def _blocks(text: str, dialect: Dialect) -> Iterator[Block]:
    tokens: list[Token] = []
    comments: list[Token] = []
    start = 0
    for token in scan(text, dialect):
        named = token.kind is Kind.COMMENT and _NAME_LINE.match(token.text)
        if named and tokens:
            yield _block(start, token.start, tokens, comments)
            tokens, comments, start = [], [], token.start
        if token.kind is Kind.COMMENT:
            comments.append(token)
        elif token.text == ";":
            end = text.find("\n", token.end)
            yield _block(start, end if end >= 0 else len(text), tokens, comments)
            tokens, comments, start = [], [], token.end
        else:
            tokens.append(token)
    yield _block(start, len(text), tokens, comments)


def _block(start: int, end: int, tokens: list[Token], comments: list[Token]) -> Block:
    for comment in comments:
        if found := _NAME_LINE.match(comment.text):
            first = comment.start + found.start("name")
            span = Span(first, comment.start + found.end("name"))
            return Block(found["name"], span, Span(start, end), tuple(tokens), tuple(comments))
    return Block("", Span(start, start), Span(start, end), tuple(tokens), tuple(comments))


def block_at(file: SourceFile, dialect: Dialect, at: int) -> Block:
    """Return the block that contains an offset."""
    found = blocks(file, dialect)
    return next((block for block in found if at <= block.span.end), found[-1])


def token_at(tokens: tuple[Token, ...], at: int) -> int | None:
    """Return the index of the token at an offset, preferring a word to another token."""
    touching = [i for i, token in enumerate(tokens) if token.start <= at <= token.end]
    words = [i for i in touching if tokens[i].kind in {Kind.NAME, Kind.QUOTED, Kind.PARAM}]
    return next(iter(words or touching), None)
