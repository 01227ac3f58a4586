"""Source texts, and positions in source texts."""

from __future__ import annotations

import bisect
import hashlib
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field


class Dialect(StrEnum):
    """The SQL dialect, which determines the lexical rules."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"


class Span(Struct, frozen=True, order=True):
    """A half-open range of character offsets into one file's text."""

    start: int
    end: int


class SourceFile(Struct, frozen=True, dict=True):
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


class Inclusion(Struct, frozen=True):
    """One expansion of a fragment in a query file.

    `start` is the offset of the fragment's text in the expanded file. `source` is the offset of
    this text in `file`, the fragment's file. `call` is the span of the `sqlc.include`, also in the
    expanded file.
    """

    start: int
    file: SourceFile
    source: int
    call: Span


class ExpandedFile(SourceFile, frozen=True):
    """A query file, followed by the text of each fragment that it includes.

    Offsets up to `length` are offsets in the query file itself. Higher offsets are in the copies of
    fragments, one copy for each `sqlc.include`. So each token of an expanded query has its own
    offset.
    """

    length: int = 0
    inclusions: tuple[Inclusion, ...] = ()

    def inclusion(self, offset: int) -> Inclusion | None:
        """Return the expansion that contains an offset, or None for the file itself."""
        if offset < self.length:
            return None
        at = bisect.bisect_right(self.inclusions, offset, key=lambda found: found.start)
        return self.inclusions[at - 1] if at else None

    def home(self, span: Span) -> Span:
        """Return a span's position in the query file; in a fragment, that of the `sqlc.include`."""
        start, end = span.start, span.end
        while found := self.inclusion(start):
            start, end = found.call.start, max(found.call.end, end if end < self.length else 0)
        last = end
        while found := self.inclusion(last - 1):
            last = found.call.end
        return Span(start, max(last, start))

    def place(self, span: Span) -> tuple[SourceFile, Span, tuple[Span, ...]]:
        """Return a span's file, the span in this file, and the `sqlc.include`s that lead to it.

        The outermost `sqlc.include` is first.
        """
        found = self.inclusion(span.start)
        if found is None:
            return self, self.home(span), ()
        calls: list[Span] = []
        around: Inclusion | None = found
        while around:
            calls.insert(0, around.call)
            around = self.inclusion(around.call.start)
        by = found.source - found.start
        inside = self.inclusion(span.end - 1) is found
        end = span.end if inside else span.start + 1
        return found.file, Span(span.start + by, max(end, span.start) + by), tuple(calls)


class SourceMap(Struct, frozen=True):
    """Maps offsets in rewritten SQL to offsets in the original file.

    `pieces` is sorted by `out`. A piece begins at offset `out` and ends at the next piece. If it is
    `copied`, its text comes from offset `src` of the file. If it is not, its text replaces the
    user's text at `src`, and all its offsets map to `src`.
    """

    pieces: tuple[tuple[int, int, bool], ...] = field(default=((0, 0, True),))

    def to_source(self, offset: int) -> int:
        """Return the offset in the file for an offset in the rewritten SQL."""
        at = bisect.bisect_right(self.pieces, offset, key=lambda piece: piece[0]) - 1
        out, src, copied = self.pieces[max(at, 0)]
        return src + (offset - out) if copied else src

    def over(self, span: Span) -> Span:
        """Return the span in the file from which a span of the rewritten SQL comes."""
        start = self.to_source(span.start)
        if span.end <= span.start:
            return Span(start, start)
        return Span(start, max(self.to_source(span.end - 1), start) + 1)

    def after(self, other: SourceMap, length: int) -> SourceMap:
        """Combine two maps: `other` maps to this map's text, and this map maps to the file.

        `length` is the length of the text that `other` maps from.
        """
        found: list[tuple[int, int, bool]] = []
        ends = [*(out for out, _, _ in other.pieces[1:]), length]
        for (out, src, copied), end in zip(other.pieces, ends, strict=True):
            if not copied:
                found.append((out, self.to_source(src), False))
                continue
            at = max(bisect.bisect_right(self.pieces, src, key=lambda piece: piece[0]) - 1, 0)
            stop = src + max(end - out, 1)
            while at < len(self.pieces) and (self.pieces[at][0] < stop or not found):
                begin, source, same = self.pieces[at]
                skipped = max(src - begin, 0)
                place = source + skipped if same else source
                found.append((out + max(begin - src, 0), place, same))
                at += 1
        return SourceMap(tuple(found))
