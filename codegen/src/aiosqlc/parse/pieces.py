"""Tokens with their positions, from which the text of an expanded query is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.parse.scanner import Kind, Token, unquote
from aiosqlc.source import SourceMap

_DIRECTIVE = re.compile(r"--\s*:[A-Za-z]")


class Piece(Struct, frozen=True):
    """A token with its offset in the expanded file, and the blanks before it.

    If `copied` is false, the file has another text at this offset: a parameter of a fragment, which
    this token replaces.
    """

    kind: Kind
    text: str
    at: int
    gap: str = ""
    copied: bool = True

    @property
    def word(self) -> str:
        """Return a bare word in upper case, and any other token unchanged."""
        return self.text.upper() if self.kind is Kind.NAME else self.text

    @property
    def is_name(self) -> bool:
        """Return whether this is a bare or a quoted name."""
        return self.kind in {Kind.NAME, Kind.QUOTED}

    @property
    def name(self) -> str:
        """Return the name that a token denotes, in lower case if the name is not quoted."""
        written = unquote(Token(self.kind, self.text, 0, 0))
        return written.lower() if self.kind is Kind.NAME else written

    @property
    def is_directive(self) -> bool:
        """Return whether this is a directive of a dynamic query."""
        return self.kind is Kind.COMMENT and _DIRECTIVE.match(self.text) is not None


def pieces_of(text: str, tokens: Iterable[Token], by: int = 0) -> list[Piece]:
    """Return tokens as pieces whose positions are `by` characters later.

    Comments are dropped, except directives.
    """
    found: list[Piece] = []
    blanks = ""
    end: int | None = None
    for token in tokens:
        # Only a directive may follow the semicolon.
        blanks += "" if end is None else text[end : token.start].replace(";", "")
        end = token.end
        if token.kind is Kind.COMMENT and not _DIRECTIVE.match(token.text):
            blanks += " "
            continue
        lines = blanks.rpartition("\n")
        gap = f"\n{lines[2]}" if lines[1] else blanks
        found.append(Piece(token.kind, token.text, token.start + by, gap))
        blanks = ""
    return found


def on_one_line(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces with a space in place of each line break."""
    return [replace(piece, gap=" ") if "\n" in piece.gap else piece for piece in pieces]


class Text:
    """Builds a text from pieces and parts of a file, and maps it to the expanded file."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._map: list[tuple[int, int, bool]] = []
        self._length = 0

    def add(self, text: str, at: int, *, copied: bool = True) -> None:
        """Add text: a copy from offset `at` of the expanded file, or a replacement of its text."""
        if text:
            self._map.append((self._length, at, copied))
            self._parts.append(text)
            self._length += len(text)

    def add_pieces(self, pieces: Iterable[Piece]) -> None:
        """Add tokens, with the blanks before each token."""
        for piece in pieces:
            self.add(piece.gap, piece.at, copied=False)
            self.add(piece.text, piece.at, copied=piece.copied)

    def result(self) -> tuple[str, SourceMap]:
        """Return the text and its source map."""
        return "".join(self._parts), SourceMap(tuple(self._map) or ((0, 0, True),))
