"""Source texts and positions in them, which messages refer to."""

from __future__ import annotations

import bisect
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import msgspec


class Dialect(StrEnum):
    """The SQL dialect, which determines the lexical rules."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"


class Span(msgspec.Struct, frozen=True, order=True):
    """A half-open range of character offsets into one file's text."""

    start: int
    end: int


@dataclass(frozen=True)
class SourceFile:
    """A file as read from disk. `path` is for display, relative to the configuration's folder."""

    path: Path
    text: str

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the text in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, char in enumerate(self.text) if char == "\n")]

    def line_col(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a character offset."""
        line = bisect.bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line_start(self, line: int) -> int:
        """Return the offset at which a line starts, by its 1-based number."""
        return self._line_starts[line - 1]

    def line_text(self, line: int) -> str:
        """Return the text of a line without its newline, by its 1-based number."""
        start = self._line_starts[line - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Maps offsets of rewritten SQL back to the original file.

    `pieces` is sorted by `out`. From offset `out` to the next piece, the text was either copied
    from offset `src` (`copied`), or replaces the user's text at `src` (every offset maps to `src`).
    """

    pieces: tuple[tuple[int, int, bool], ...] = field(default=((0, 0, True),))

    def to_source(self, offset: int) -> int:
        """Return the offset in the file for an offset in the rewritten SQL."""
        at = bisect.bisect_right(self.pieces, offset, key=lambda piece: piece[0]) - 1
        out, src, copied = self.pieces[max(at, 0)]
        return src + (offset - out) if copied else src
